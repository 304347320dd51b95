/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/blob_bag.h"

#include <stdlib.h>
#include <string.h>

static size_t blob_bytes(const struct snapshot_blob *blob)
{
    return blob->name_len + blob->subject_len + blob->len;
}

static bool blob_is_about_same(const struct snapshot_blob *a, const struct snapshot_blob *b)
{
    return a->name_len == b->name_len && a->subject_len == b->subject_len &&
           a->version == b->version && memcmp(a->name, b->name, a->name_len) == 0 &&
           (a->subject_len == 0 || memcmp(a->subject, b->subject, a->subject_len) == 0);
}

static void part_copy(uint8_t *to, const void *from, size_t len)
{
    if (len > 0) {
        memcpy(to, from, len);
    }
}

/* A copy with a block of its own. */
static bool blob_copy(const struct snapshot_blob *blob, struct snapshot_blob *copy_out)
{
    uint8_t *block = malloc(blob_bytes(blob) + 1);
    if (block == NULL) {
        return false;
    }
    *copy_out = *blob;
    copy_out->name = (const char *)block;
    copy_out->subject = block + blob->name_len;
    copy_out->bytes = copy_out->subject + blob->subject_len;
    part_copy(block, blob->name, blob->name_len);
    part_copy(block + blob->name_len, blob->subject, blob->subject_len);
    part_copy(block + blob->name_len + blob->subject_len, blob->bytes, blob->len);
    return true;
}

static void blob_fini(struct snapshot_blob *blob)
{
    /* The block was ours to write, but is const to its readers. */
    free((void *)(uintptr_t)blob->name);
}

static bool blob_bag_make_room(struct blob_bag *bag)
{
    if (bag->count < bag->room) {
        return true;
    }
    size_t room = bag->room == 0 ? 16 : 2 * bag->room;
    if (room > BLOB_BAG_MAX) {
        return false;
    }
    struct snapshot_blob *blobs = realloc(bag->blobs, room * sizeof *blobs);
    if (blobs == NULL) {
        return false;
    }
    bag->blobs = blobs;
    bag->room = room;
    return true;
}

static bool blob_bag_replace(
    struct blob_bag *bag, struct snapshot_blob *place, const struct snapshot_blob *blob)
{
    struct snapshot_blob copy;
    if (blob->weight <= place->weight) {
        return true;
    }
    if (!blob_copy(blob, &copy)) {
        return false;
    }
    bag->bytes += blob_bytes(blob) - blob_bytes(place);
    blob_fini(place);
    *place = copy;
    return true;
}

bool blob_bag_add(struct blob_bag *bag, const struct snapshot_blob *blob)
{
    if (bag->bytes + blob_bytes(blob) > BLOB_BAG_BYTES_MAX) {
        return false;
    }
    for (size_t i = 0; i < bag->count; i++) {
        if (blob_is_about_same(&bag->blobs[i], blob)) {
            return blob_bag_replace(bag, &bag->blobs[i], blob);
        }
    }
    if (!blob_bag_make_room(bag) || !blob_copy(blob, &bag->blobs[bag->count])) {
        return false;
    }
    bag->bytes += blob_bytes(blob);
    bag->count++;
    return true;
}

void blob_bag_fini(struct blob_bag *bag)
{
    for (size_t i = 0; i < bag->count; i++) {
        blob_fini(&bag->blobs[i]);
    }
    free(bag->blobs);
    *bag = (struct blob_bag){0};
}
