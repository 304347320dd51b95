/* SPDX-License-Identifier: BSD-2-Clause */
#include "cache/snapshot.h"

#include <string.h>

#include "cache/snapshot_private.h"

#define SNAPSHOT_MAGIC   "mxc-snap"
#define SNAPSHOT_VERSION 1u

/* The first byte is rare in names and addresses, so looking for it is quick. */
#define SNAPSHOT_MARKER       0xd56d7872u
#define SNAPSHOT_MARKER_FIRST 0xd5

/* Whatever is older is of no use, and times can be added up without a thought. */
#define SNAPSHOT_AGE_MAX_US (INT64_C(10) * 366 * 86400 * 1000000)

/* Where the sums stand: behind what they are over. */
#define SNAPSHOT_HEAD_SUM_AT  (SNAPSHOT_HEAD_SIZE - 4)
#define SNAPSHOT_BODY_SUM_AT  10u
#define SNAPSHOT_FRAME_SUM_AT (SNAPSHOT_FRAME_SIZE - 4)

static uint32_t snapshot_sum32(const struct hash_key *key, const uint8_t *bytes, size_t len)
{
    return (uint32_t)hash_siphash13(key, bytes, len);
}

void snapshot_write_head(const struct snapshot_head *head, uint8_t *bytes_out)
{
    struct writer writer = writer_of(bytes_out, SNAPSHOT_HEAD_SIZE);
    writer_bytes(&writer, (const uint8_t *)SNAPSHOT_MAGIC, 8);
    writer_u32(&writer, SNAPSHOT_VERSION);
    snapshot_write_u64(&writer, (uint64_t)head->created_wall);
    snapshot_write_u64(&writer, head->key.k0);
    snapshot_write_u64(&writer, head->key.k1);
    writer_u32(&writer, snapshot_sum32(&head->key, bytes_out, SNAPSHOT_HEAD_SUM_AT));
    memcpy(bytes_out + SNAPSHOT_HEAD_SIZE, bytes_out, SNAPSHOT_HEAD_SIZE);
}

/* Puts the frame before a body that has been written. */
static size_t snapshot_frame_write(const struct snapshot_head *head, enum snapshot_kind kind,
    const struct writer *body, uint8_t *bytes_out)
{
    struct writer writer = writer_of(bytes_out, SNAPSHOT_FRAME_SIZE);
    if (body->is_cut) {
        return 0;
    }
    writer_u32(&writer, SNAPSHOT_MARKER);
    writer_u16(&writer, (uint16_t)kind);
    writer_u32(&writer, (uint32_t)body->len);
    snapshot_write_u64(&writer, hash_siphash13(&head->key, body->bytes, body->len));
    writer_u32(&writer, snapshot_sum32(&head->key, bytes_out, SNAPSHOT_FRAME_SUM_AT));
    return SNAPSHOT_FRAME_SIZE + body->len;
}

size_t snapshot_write_entry(
    const struct snapshot_moment *moment, const struct cache_record *record, uint8_t *bytes_out)
{
    struct writer body = writer_of(bytes_out + SNAPSHOT_FRAME_SIZE, SNAPSHOT_BODY_MAX);
    snapshot_body_write_entry(&body, record, moment->now);
    return snapshot_frame_write(moment->head, SNAPSHOT_KIND_ENTRY, &body, bytes_out);
}

size_t snapshot_write_blob(
    const struct snapshot_head *head, const struct snapshot_blob *blob, uint8_t *bytes_out)
{
    struct writer body = writer_of(bytes_out + SNAPSHOT_FRAME_SIZE, SNAPSHOT_BODY_MAX);
    if (blob->name_len > SNAPSHOT_NAME_MAX || blob->subject_len > SNAPSHOT_SUBJECT_MAX ||
        blob->len > SNAPSHOT_BYTES_MAX) {
        return 0;
    }
    snapshot_body_write_blob(&body, blob);
    return snapshot_frame_write(head, SNAPSHOT_KIND_BLOB, &body, bytes_out);
}

static bool snapshot_head_read(const struct snapshot_window *window, struct snapshot_head *head_out)
{
    const uint8_t *bytes = window->bytes + window->at;
    if (window->len - window->at < SNAPSHOT_HEAD_SIZE || memcmp(bytes, SNAPSHOT_MAGIC, 8) != 0 ||
        bytes_get_u32(bytes + 8) != SNAPSHOT_VERSION) {
        return false;
    }
    head_out->created_wall = (int64_t)snapshot_get_u64(bytes + 12);
    head_out->key.k0 = snapshot_get_u64(bytes + 20);
    head_out->key.k1 = snapshot_get_u64(bytes + 28);
    return bytes_get_u32(bytes + SNAPSHOT_HEAD_SUM_AT) ==
           snapshot_sum32(&head_out->key, bytes, SNAPSHOT_HEAD_SUM_AT);
}

/* Takes one of the two heads. */
static bool snapshot_heads_read(struct snapshot_scan *scan, struct snapshot_window *window)
{
    for (unsigned i = 0; i < 2 && !scan->has_head; i++) {
        scan->has_head = snapshot_head_read(window, &scan->head);
        scan->damaged += scan->has_head ? i : 0;
        size_t left = window->len - window->at;
        window->at += left < SNAPSHOT_HEAD_SIZE ? left : SNAPSHOT_HEAD_SIZE;
        if (scan->has_head && i == 0) {
            left = window->len - window->at;
            window->at += left < SNAPSHOT_HEAD_SIZE ? left : SNAPSHOT_HEAD_SIZE;
        }
    }
    return scan->has_head;
}

enum frame_verdict {
    FRAME_GOOD,
    FRAME_CUT, /* Right so far; the window ends before it does. */
    FRAME_BAD,
};

struct frame {
    unsigned kind;
    const uint8_t *body;
    size_t len;
};

static enum frame_verdict snapshot_frame_read(
    const struct snapshot_scan *scan, const struct snapshot_window *window, struct frame *frame_out)
{
    const uint8_t *bytes = window->bytes + window->at;
    const struct hash_key *key = &scan->head.key;
    if (bytes_get_u32(bytes) != SNAPSHOT_MARKER ||
        bytes_get_u32(bytes + SNAPSHOT_FRAME_SUM_AT) !=
            snapshot_sum32(key, bytes, SNAPSHOT_FRAME_SUM_AT)) {
        return FRAME_BAD;
    }
    frame_out->kind = bytes_get_u16(bytes + 4);
    frame_out->body = bytes + SNAPSHOT_FRAME_SIZE;
    frame_out->len = bytes_get_u32(bytes + 6);
    if (frame_out->len > SNAPSHOT_BODY_MAX) {
        return FRAME_BAD;
    }
    if (window->len - window->at - SNAPSHOT_FRAME_SIZE < frame_out->len) {
        return window->is_last ? FRAME_BAD : FRAME_CUT;
    }
    uint64_t sum = snapshot_get_u64(bytes + SNAPSHOT_BODY_SUM_AT);
    return sum == hash_siphash13(key, frame_out->body, frame_out->len) ? FRAME_GOOD : FRAME_BAD;
}

static void snapshot_note_damage(struct snapshot_scan *scan)
{
    scan->damaged += scan->is_lost ? 0 : 1;
    scan->is_lost = true;
}

/* To where the next record may begin. */
static void snapshot_pass_over(struct snapshot_scan *scan, struct snapshot_window *window)
{
    snapshot_note_damage(scan);
    window->at++;
    const uint8_t *from = window->bytes + window->at;
    const uint8_t *found = memchr(from, SNAPSHOT_MARKER_FIRST, window->len - window->at);
    window->at = found != NULL ? (size_t)(found - window->bytes) : window->len;
}

/* False: nothing for the caller. */
static bool snapshot_frame_take(struct snapshot_scan *scan, const struct frame *frame,
    struct snapshot_found *found_out, enum snapshot_item *item_out)
{
    bool is_good = true;
    switch (frame->kind) {
    case SNAPSHOT_KIND_ENTRY:
        is_good = snapshot_body_read_entry(frame->body, frame->len, &found_out->entry);
        scan->entries += is_good ? 1 : 0;
        *item_out = SNAPSHOT_ENTRY;
        break;
    case SNAPSHOT_KIND_BLOB:
        is_good = snapshot_body_read_blob(frame->body, frame->len, &found_out->blob);
        scan->blobs += is_good ? 1 : 0;
        *item_out = SNAPSHOT_BLOB;
        break;
    default:
        scan->unknown++;
        return false;
    }
    scan->damaged += is_good ? 0 : 1;
    return is_good;
}

static enum snapshot_item snapshot_next_end(
    struct snapshot_scan *scan, struct snapshot_window *window)
{
    if (!window->is_last) {
        return SNAPSHOT_MORE;
    }
    if (window->at < window->len) {
        snapshot_note_damage(scan);
        window->at = window->len;
    }
    return SNAPSHOT_END;
}

enum snapshot_item snapshot_next(
    struct snapshot_scan *scan, struct snapshot_window *window, struct snapshot_found *found_out)
{
    if (!scan->has_head && !window->is_last &&
        window->len - window->at < (size_t)2 * SNAPSHOT_HEAD_SIZE) {
        return SNAPSHOT_MORE;
    }
    if (!scan->has_head && !snapshot_heads_read(scan, window)) {
        return SNAPSHOT_FOREIGN;
    }
    while (window->len - window->at >= SNAPSHOT_FRAME_SIZE) {
        struct frame frame;
        enum snapshot_item item;
        enum frame_verdict verdict = snapshot_frame_read(scan, window, &frame);
        if (verdict == FRAME_CUT) {
            return SNAPSHOT_MORE;
        }
        if (verdict == FRAME_BAD) {
            snapshot_pass_over(scan, window);
            continue;
        }
        scan->is_lost = false;
        window->at += SNAPSHOT_FRAME_SIZE + frame.len;
        if (snapshot_frame_take(scan, &frame, found_out, &item)) {
            return item;
        }
    }
    return snapshot_next_end(scan, window);
}

int64_t snapshot_age(const struct snapshot_head *head, int64_t wall)
{
    if (head->created_wall >= wall) {
        return 0;
    }
    if (head->created_wall < 0 || wall - head->created_wall > SNAPSHOT_AGE_MAX_US) {
        return SNAPSHOT_AGE_MAX_US;
    }
    return wall - head->created_wall;
}
