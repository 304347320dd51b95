/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/must.h"
#include "base/text.h"
#include "doctor/capture_advice.h"
#include "doctor/capture_tally.h"
#include "doctor/postfix_config.h"
#include "tests/support/capture_writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FLOWS 6

/* A packet: what it is, how long after the one before, its length, its bytes. */
#define HEAD_SIZE 5

/* In whole packets the bytes are the wire's; in told ones they are what a side says, and TCP's
 * numbers are kept for it, so that the dialogue is reached. */
enum input_kind {
    INPUT_WHOLE,
    INPUT_TOLD,
};

struct input {
    const uint8_t *data;
    size_t len;
    int64_t now;
};

struct piece {
    uint8_t head;
    const uint8_t *bytes;
    uint32_t len;
};

static bool input_next(struct input *input, struct piece *piece)
{
    if (input->len < HEAD_SIZE) {
        return false;
    }
    const uint8_t *data = input->data;
    piece->head = data[0];
    /* Up to 650 s, and now and then backwards. */
    input->now += ((int64_t)(data[1] << 8 | data[2]) - 100) * 10000;
    piece->len = (uint32_t)(data[3] << 8 | data[4]);
    input->data += HEAD_SIZE;
    input->len -= HEAD_SIZE;
    piece->len = piece->len < input->len ? piece->len : (uint32_t)input->len;
    piece->bytes = input->data;
    input->data += piece->len;
    input->len -= piece->len;
    return true;
}

static void feed_whole(struct capture_flows *flows, struct input *input)
{
    struct piece piece;
    while (input_next(input, &piece)) {
        const struct capture_packet packet = {
            .at_us = input->now,
            .link = (enum capture_link)(piece.head % CAPTURE_LINKS),
            .bytes = piece.bytes,
            .len = piece.len,
            .wire_len = piece.len + (piece.head / CAPTURE_LINKS) * 16u,
        };
        capture_flows_take(flows, &packet);
    }
}

static void feed_told(struct capture_flows *flows, struct input *input)
{
    char words[2048];
    struct piece piece;
    struct script script;
    struct script_packet packet;
    struct script_wire wire = script_wire_plain;
    wire.link = CAPTURE_LINK_RAW;
    script_init(&script, &wire);
    while (input_next(input, &piece)) {
        /* The flags of the writer, in its order, but for the two that are of the player. */
        uint32_t len = piece.len < sizeof words - 1 ? piece.len : sizeof words - 1;
        memcpy(words, piece.bytes, len);
        words[len] = '\0';
        unsigned flags = (piece.head >> 1 & 0x3fu) | ((piece.head & 0xc0u) == 0xc0u ? S_BARE : 0);
        const struct script_row row = {
            .side = (piece.head & 1u) != 0 ? 'C' : 'S',
            .words = words,
            .flags = flags & ~(unsigned)S_LOST,
        };
        script.wire.snaplen = (flags & S_LOST) != 0 ? 80 : 0;
        script_row_make(&script, &row, &packet);
        packet.at_us = input->now;
        script_flows_add(flows, &packet, CAPTURE_LINK_RAW);
    }
}

static void tell(struct capture_tally *tally)
{
    static const struct postfix postfix;
    static const char *const names[CAPTURE_SIDES] = {"client", "server"};
    char sentence[4096];
    struct text text;
    capture_tally_sort(tally);
    for (size_t i = 0; i < tally->group_count; i++) {
        const struct capture_group *group = &tally->groups[i];
        must(group->worst.level >= REPORT_NOTE);
        text_init(&text, sentence, sizeof sentence);
        capture_advice_seen(&text, group);
        must(text.len > 0 && !text.is_cut);
        capture_advice_change(&text, group, &postfix);
        capture_advice_cause(&text, group);
        text_init(&text, sentence, sizeof sentence);
        capture_ladder_draw(&group->ladder, names, &text);
        must(text.len > 0);
    }
}

/* Packets of anybody's making: each conversation that began ends, once, and what is found can be
 * told. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct hash_key key = {1, 2};
    struct capture_flows flows;
    struct capture_tally *tally = calloc(1, sizeof *tally);
    must(tally != NULL && capture_flows_init(&flows, &key, 0, FLOWS));
    flows.done = capture_tally_take;
    flows.context = tally;
    struct input input = {data + 1, size - 1, 1000000000};
    if (size > 1 && (data[0] & 1u) == INPUT_WHOLE) {
        feed_whole(&flows, &input);
    } else if (size > 1) {
        feed_told(&flows, &input);
    }
    capture_flows_end(&flows);
    must(tally->troubled + tally->well + tally->one_sided == flows.counts.flows);
    tell(tally);
    capture_flows_fini(&flows);
    free(tally);
    return 0;
}
