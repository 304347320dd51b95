/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/capture_smtp.h"

#include <string.h>

#include "base/clock.h"

#define WAIT_US_MIN CLOCK_US_PER_S /* Shorter ones are not kept. */

/* The end of a message, byte for byte: CRLF . CRLF. It begins as if a CRLF stood before it. */
static const char dot_bytes[] = "\r\n.\r\n";
#define DOT_LEN   5
#define DOT_BEGIN 2

void capture_smtp_init(struct capture_smtp *smtp, enum capture_stage stage, int64_t at_us)
{
    *smtp = (struct capture_smtp){
        .stage = stage,
        .begin_us = at_us,
        .replied = CAPTURE_NO_VERB,
        .last_spoken = CAPTURE_NOBODY,
        .turn = {.side = CAPTURE_NOBODY},
        .cut_side = CAPTURE_NOBODY,
    };
}

static enum capture_side other_side(enum capture_side side)
{
    switch (side) {
    case CAPTURE_CLIENT:
        return CAPTURE_SERVER;
    case CAPTURE_SERVER:
        return CAPTURE_CLIENT;
    case CAPTURE_NOBODY:
        break;
    }
    return CAPTURE_NOBODY;
}

static enum capture_verb asked_head(const struct capture_smtp *smtp)
{
    return (enum capture_verb)smtp->asked[smtp->asked_first];
}

static void asked_push(struct capture_smtp *smtp, enum capture_verb verb)
{
    if (smtp->asked_count < CAPTURE_ASKED_MAX) {
        size_t at = (smtp->asked_first + smtp->asked_count++) % CAPTURE_ASKED_MAX;
        smtp->asked[at] = (uint8_t)verb;
    }
}

static enum capture_verb asked_pop(struct capture_smtp *smtp)
{
    if (smtp->asked_count == 0) {
        return CAPTURE_NO_VERB;
    }
    enum capture_verb verb = asked_head(smtp);
    smtp->asked_first = (smtp->asked_first + 1) % CAPTURE_ASKED_MAX;
    smtp->asked_count--;
    return verb;
}

/* Whose turn it is now, and for what. */
static void turn_find(const struct capture_smtp *smtp, struct capture_wait *turn)
{
    turn->side = CAPTURE_SERVER;
    turn->verb = smtp->replied;
    switch (smtp->stage) {
    case CAPTURE_STAGE_CONNECT:
        turn->phase = CAPTURE_PHASE_CONNECT;
        return;
    case CAPTURE_STAGE_BANNER:
        turn->phase = CAPTURE_PHASE_BANNER;
        return;
    case CAPTURE_STAGE_TLS:
        turn->phase = CAPTURE_PHASE_TLS;
        turn->side = other_side(smtp->last_spoken);
        return;
    case CAPTURE_STAGE_OVER:
        turn->side = CAPTURE_NOBODY;
        return;
    case CAPTURE_STAGE_UNKNOWN:
    case CAPTURE_STAGE_COMMAND:
    case CAPTURE_STAGE_MESSAGE:
    case CAPTURE_STAGE_CHUNK:
        break;
    }
    if (smtp->asked_count > 0) {
        turn->phase = CAPTURE_PHASE_REPLY;
        turn->verb = asked_head(smtp);
    } else if (smtp->stage == CAPTURE_STAGE_UNKNOWN) {
        turn->phase = CAPTURE_PHASE_UNKNOWN;
        turn->side = other_side(smtp->last_spoken);
    } else {
        turn->side = CAPTURE_CLIENT;
        turn->phase = smtp->stage == CAPTURE_STAGE_COMMAND ? CAPTURE_PHASE_COMMAND
                      : smtp->has_begun_message            ? CAPTURE_PHASE_MESSAGE
                                                           : CAPTURE_PHASE_FIRST;
    }
}

static void wait_keep(struct capture_smtp *smtp, const struct capture_wait *wait)
{
    size_t at = smtp->wait_count < CAPTURE_WAITS ? smtp->wait_count++ : CAPTURE_WAITS;
    while (at > 0 && smtp->waits[at - 1].us < wait->us) {
        if (at < CAPTURE_WAITS) {
            smtp->waits[at] = smtp->waits[at - 1];
        }
        at--;
    }
    if (at < CAPTURE_WAITS) {
        smtp->waits[at] = *wait;
    }
}

/* What TCP did since the turn began, whose snapshot is `before`. */
static void net_subtract(struct capture_net *net, const struct capture_net *before)
{
    for (int i = 0; i < CAPTURE_SIDES; i++) {
        net->repeated[i] -= before->repeated[i];
        net->large[i] -= before->large[i];
        net->early[i] -= before->early[i];
        net->blocked_us[i] -= before->blocked_us[i];
    }
}

/* The turn under way is over. */
static void turn_close(
    struct capture_smtp *smtp, const struct capture_stroke *stroke, enum capture_end end)
{
    struct capture_wait wait = smtp->turn;
    smtp->turn.side = CAPTURE_NOBODY;
    wait.us = stroke->at_us - wait.since_us;
    if (wait.side == CAPTURE_NOBODY || wait.us < WAIT_US_MIN) {
        return;
    }
    struct capture_net net = smtp->net;
    net_subtract(&net, &wait.net);
    wait.net = net;
    wait.end = end;
    wait.ended_by = stroke->side;
    wait.is_unacked = smtp->is_unacked;
    smtp->slow_replies += wait.side == CAPTURE_SERVER && end == CAPTURE_END_SPOKE;
    wait_keep(smtp, &wait);
}

static void turn_begin(struct capture_smtp *smtp, int64_t at_us)
{
    smtp->turn = (struct capture_wait){.since_us = at_us, .net = smtp->net};
    turn_find(smtp, &smtp->turn);
}

/* After something was said: a turn goes on when it is still the same one's, for the same thing. */
static void turn_settle(struct capture_smtp *smtp, const struct capture_stroke *stroke, bool is_new)
{
    struct capture_wait now = {0};
    turn_find(smtp, &now);
    const struct capture_wait *turn = &smtp->turn;
    if (!is_new && now.side == turn->side && now.phase == turn->phase && now.verb == turn->verb) {
        return;
    }
    turn_close(smtp, stroke, CAPTURE_END_SPOKE);
    turn_begin(smtp, stroke->at_us);
}

void capture_smtp_connected(struct capture_smtp *smtp, enum capture_stage stage, int64_t at_us)
{
    const struct capture_stroke stroke = {.at_us = at_us, .side = CAPTURE_SERVER};
    smtp->stage = stage;
    /* Where encryption comes first, so does the client. */
    smtp->last_spoken = CAPTURE_SERVER;
    smtp->has_turned_tls = stage == CAPTURE_STAGE_TLS;
    turn_settle(smtp, &stroke, true);
}

static void smtp_draw(
    struct capture_smtp *smtp, const struct capture_stroke *stroke, const char *words, size_t len)
{
    const struct capture_stroke drawn = {stroke->at_us, stroke->side, smtp->turn.side};
    capture_ladder_add(&smtp->ladder, &drawn, words, len);
}

static void smtp_draw_bytes(struct capture_smtp *smtp, const struct capture_stroke *stroke,
    const char *words, uint64_t bytes)
{
    const struct capture_stroke drawn = {stroke->at_us, stroke->side, smtp->turn.side};
    capture_ladder_add_bytes(&smtp->ladder, &drawn, words, bytes);
}

static void message_begin(struct capture_smtp *smtp)
{
    smtp->stage = CAPTURE_STAGE_MESSAGE;
    smtp->has_begun_message = false;
    smtp->dot_state = DOT_BEGIN;
}

static void chunk_begin(struct capture_smtp *smtp, const char *line, size_t len)
{
    smtp->stage = CAPTURE_STAGE_CHUNK;
    smtp->has_begun_message = true;
    if (!capture_chunk_read(line, len, &smtp->chunk_left, &smtp->is_last_chunk)) {
        smtp->chunk_left = 0;
    }
}

/* A chunk is asked about when it has come as a whole. */
static void chunk_end(struct capture_smtp *smtp)
{
    if (smtp->stage == CAPTURE_STAGE_CHUNK && smtp->chunk_left == 0) {
        smtp->stage = CAPTURE_STAGE_COMMAND;
        asked_push(smtp, smtp->is_last_chunk ? CAPTURE_DOT : CAPTURE_BDAT);
    }
}

/* Arguments are shown of those commands alone that name hosts and, made anonymous, addresses. */
static size_t command_shown(enum capture_verb verb, const char *line, size_t len)
{
    switch (verb) {
    case CAPTURE_HELO:
    case CAPTURE_MAIL:
    case CAPTURE_RCPT:
    case CAPTURE_BDAT:
    case CAPTURE_STARTTLS:
    case CAPTURE_DATA:
    case CAPTURE_RSET:
    case CAPTURE_QUIT:
        return len;
    case CAPTURE_AUTH:
    case CAPTURE_DOT:
    case CAPTURE_OTHER_VERB:
    case CAPTURE_NO_VERB:
        break;
    }
    const char *blank = memchr(line, ' ', len);
    return blank != NULL ? (size_t)(blank - line) : len;
}

static void command_take(struct capture_smtp *smtp, const struct capture_stroke *stroke)
{
    struct capture_speech *speech = &smtp->speech[CAPTURE_CLIENT];
    enum capture_verb verb = capture_verb_read(speech->line, speech->len);
    if (smtp->has_secret) {
        smtp->has_secret = false;
        smtp_draw(smtp, stroke, "(part of a password)", 20);
        asked_push(smtp, CAPTURE_AUTH);
        return;
    }
    if (verb == CAPTURE_NO_VERB) {
        /* In the middle of an unknown conversation these are bytes of a message, or encrypted. */
        smtp_draw_bytes(smtp, stroke, "(no command)", speech->len);
        if (smtp->stage != CAPTURE_STAGE_UNKNOWN) {
            asked_push(smtp, CAPTURE_OTHER_VERB);
        }
        return;
    }
    smtp_draw(smtp, stroke, speech->line, command_shown(verb, speech->line, speech->len));
    if (smtp->stage == CAPTURE_STAGE_UNKNOWN) {
        smtp->stage = CAPTURE_STAGE_COMMAND;
    }
    if (verb == CAPTURE_BDAT) {
        chunk_begin(smtp, speech->line, speech->len);
        chunk_end(smtp);
        return;
    }
    asked_push(smtp, verb);
    if (verb == CAPTURE_DATA) {
        message_begin(smtp);
    }
}

static void refusal_take(struct capture_smtp *smtp, uint16_t code)
{
    const struct capture_speech *speech = &smtp->speech[CAPTURE_SERVER];
    if (code < 400) {
        return;
    }
    bool is_greylist = capture_reply_is_greylist(code, speech->line, speech->len);
    bool is_dns = !is_greylist && capture_reply_is_dns(code, speech->line, speech->len);
    smtp->greylisted += is_greylist;
    smtp->dns_deferred += is_dns;
    if (is_greylist || is_dns || smtp->reply[0] == '\0' || code == 421) {
        capture_redact(speech->line, speech->len, smtp->reply, sizeof smtp->reply);
    }
}

/* What an answered verb changes. */
static void answer_take(struct capture_smtp *smtp, enum capture_verb verb, uint16_t code)
{
    bool is_accepted = code / 100 == 2;
    smtp->replied = verb;
    smtp->has_secret = code == 334;
    switch (verb) {
    case CAPTURE_STARTTLS:
        if (code == 220) {
            smtp->stage = CAPTURE_STAGE_TLS;
            smtp->last_spoken = CAPTURE_SERVER;
            smtp->has_turned_tls = true;
        }
        return;
    case CAPTURE_MAIL:
        smtp->has_begun_mail = smtp->has_begun_mail || is_accepted;
        return;
    case CAPTURE_DATA:
        if (code != 354 && smtp->stage == CAPTURE_STAGE_MESSAGE) {
            smtp->stage = CAPTURE_STAGE_COMMAND;
        }
        return;
    case CAPTURE_DOT:
        smtp->mails += is_accepted;
        smtp->has_begun_mail = false;
        return;
    case CAPTURE_RSET:
        smtp->has_begun_mail = false;
        return;
    case CAPTURE_QUIT:
        smtp->stage = CAPTURE_STAGE_OVER;
        return;
    case CAPTURE_HELO:
    case CAPTURE_AUTH:
    case CAPTURE_RCPT:
    case CAPTURE_BDAT:
    case CAPTURE_OTHER_VERB:
    case CAPTURE_NO_VERB:
        return;
    }
}

/* The server's word on a message is also the end of one whose dot the capture does not show. */
static bool reply_ends_message(const struct capture_smtp *smtp, uint16_t code)
{
    return smtp->stage == CAPTURE_STAGE_MESSAGE && smtp->asked_count == 0 &&
           smtp->has_begun_message && code != 421;
}

static void reply_take(
    struct capture_smtp *smtp, const struct capture_stroke *stroke, uint16_t code)
{
    refusal_take(smtp, code);
    smtp->replies++;
    if (code == 421) {
        bool was_due = smtp->stage == CAPTURE_STAGE_BANNER || smtp->asked_count > 0;
        smtp->code_last = code;
        turn_close(smtp, stroke, was_due ? CAPTURE_END_SPOKE : CAPTURE_END_421);
        smtp->stage = CAPTURE_STAGE_OVER;
        return;
    }
    if (smtp->stage == CAPTURE_STAGE_BANNER || smtp->stage == CAPTURE_STAGE_CONNECT) {
        smtp->code_first = code;
        smtp->stage = CAPTURE_STAGE_COMMAND;
        return;
    }
    if (reply_ends_message(smtp, code)) {
        /* So the silence before it was the server's. */
        smtp->turn.side = CAPTURE_SERVER;
        smtp->turn.phase = CAPTURE_PHASE_REPLY;
        smtp->turn.verb = CAPTURE_DOT;
        asked_push(smtp, CAPTURE_DOT);
        smtp->stage = CAPTURE_STAGE_COMMAND;
    }
    if (code == 354 && smtp->stage == CAPTURE_STAGE_UNKNOWN) {
        message_begin(smtp);
    }
    answer_take(smtp, asked_pop(smtp), code);
}

static void server_line_take(
    struct capture_smtp *smtp, const struct capture_stroke *stroke, bool is_whole)
{
    struct capture_speech *speech = &smtp->speech[CAPTURE_SERVER];
    struct capture_reply reply = capture_reply_read(speech->line, speech->len);
    if (reply.code == 0) {
        smtp_draw_bytes(smtp, stroke, "(no reply of SMTP)", speech->len + 1);
        return;
    }
    bool is_last = reply.is_last || !is_whole;
    if (!is_last && smtp->stage == CAPTURE_STAGE_BANNER && smtp->teased_us == 0) {
        smtp->teased_us = stroke->at_us;
    }
    /* Of a reply of many lines the first is shown, but each of a banner, which may be slow. */
    if (!smtp->is_within_reply || smtp->stage == CAPTURE_STAGE_BANNER) {
        smtp_draw(smtp, stroke, speech->line, speech->len);
    }
    smtp->is_within_reply = !is_last;
    if (is_last) {
        reply_take(smtp, stroke, reply.code);
        turn_settle(smtp, stroke, true);
    }
}

static void client_line_take(struct capture_smtp *smtp, const struct capture_stroke *stroke)
{
    if (smtp->speech[CAPTURE_CLIENT].len > 0) {
        command_take(smtp, stroke);
        turn_settle(smtp, stroke, false);
    }
}

/* One byte of lines. True: a line has ended. */
static bool speech_add(struct capture_speech *speech, uint8_t byte)
{
    if (byte == '\n') {
        speech->len -= speech->len > 0 && speech->line[speech->len - 1] == '\r';
        return true;
    }
    if (speech->len < sizeof speech->line) {
        speech->line[speech->len++] = (char)byte;
    }
    return false;
}

/* Bytes up to and with the end of a message; their number. */
static uint32_t message_scan(struct capture_smtp *smtp, const uint8_t *bytes, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++) {
        if (bytes[i] == (uint8_t)dot_bytes[smtp->dot_state]) {
            smtp->dot_state++;
        } else {
            smtp->dot_state = bytes[i] == '\r';
        }
        if (smtp->dot_state == DOT_LEN) {
            return i + 1;
        }
    }
    return len;
}

static uint32_t message_take(struct capture_smtp *smtp, const struct capture_stroke *stroke,
    const uint8_t *bytes, uint32_t len)
{
    uint32_t used = message_scan(smtp, bytes, len);
    smtp_draw_bytes(smtp, stroke, "message", used);
    smtp->has_begun_message = true;
    if (smtp->dot_state == DOT_LEN) {
        smtp->dot_state = 0;
        smtp->stage = CAPTURE_STAGE_COMMAND;
        asked_push(smtp, CAPTURE_DOT);
    }
    turn_settle(smtp, stroke, true);
    return used;
}

static uint32_t chunk_take(
    struct capture_smtp *smtp, const struct capture_stroke *stroke, uint32_t len)
{
    uint32_t used = len < smtp->chunk_left ? len : (uint32_t)smtp->chunk_left;
    smtp->chunk_left -= used;
    smtp_draw_bytes(smtp, stroke, "message", used);
    chunk_end(smtp);
    turn_settle(smtp, stroke, true);
    return used;
}

static uint32_t line_take(struct capture_smtp *smtp, const struct capture_stroke *stroke,
    const uint8_t *bytes, uint32_t len)
{
    struct capture_speech *speech = &smtp->speech[stroke->side];
    for (uint32_t i = 0; i < len; i++) {
        if (!speech_add(speech, bytes[i])) {
            continue;
        }
        if (stroke->side == CAPTURE_CLIENT) {
            client_line_take(smtp, stroke);
        } else {
            server_line_take(smtp, stroke, true);
        }
        speech->len = 0;
        return i + 1;
    }
    return len;
}

/* Encrypted, or after the end: only who speaks is known. */
static void opaque_take(
    struct capture_smtp *smtp, const struct capture_stroke *stroke, uint64_t len)
{
    bool is_over = smtp->stage == CAPTURE_STAGE_OVER;
    smtp_draw_bytes(smtp, stroke, is_over ? "data" : "encrypted", len);
    if (is_over && stroke->side == CAPTURE_CLIENT && smtp->late_us == 0) {
        smtp->late_us = stroke->at_us;
    }
    smtp->last_spoken = stroke->side;
    smtp->encrypted[stroke->side] += is_over ? 0 : len;
    turn_settle(smtp, stroke, true);
}

/* Consumes some of the bytes; their number, at least one. */
static uint32_t some_take(struct capture_smtp *smtp, const struct capture_stroke *stroke,
    const uint8_t *bytes, uint32_t len)
{
    switch (smtp->stage) {
    case CAPTURE_STAGE_TLS:
    case CAPTURE_STAGE_OVER:
        opaque_take(smtp, stroke, len);
        return len;
    case CAPTURE_STAGE_MESSAGE:
        if (stroke->side == CAPTURE_CLIENT) {
            return message_take(smtp, stroke, bytes, len);
        }
        break;
    case CAPTURE_STAGE_CHUNK:
        if (stroke->side == CAPTURE_CLIENT) {
            return chunk_take(smtp, stroke, len);
        }
        break;
    case CAPTURE_STAGE_CONNECT:
    case CAPTURE_STAGE_BANNER:
    case CAPTURE_STAGE_COMMAND:
    case CAPTURE_STAGE_UNKNOWN:
        break;
    }
    return line_take(smtp, stroke, bytes, len);
}

/* Bytes that are not known end the line that they stand in; in a message they are only counted. */
static void missing_take(
    struct capture_smtp *smtp, const struct capture_stroke *stroke, uint32_t missing)
{
    struct capture_speech *speech = &smtp->speech[stroke->side];
    bool is_client = stroke->side == CAPTURE_CLIENT;
    if (smtp->stage == CAPTURE_STAGE_TLS || smtp->stage == CAPTURE_STAGE_OVER) {
        opaque_take(smtp, stroke, missing);
        return;
    }
    if (is_client && smtp->stage == CAPTURE_STAGE_CHUNK) {
        (void)chunk_take(smtp, stroke, missing);
        return;
    }
    if (is_client && smtp->stage == CAPTURE_STAGE_MESSAGE) {
        smtp_draw_bytes(smtp, stroke, "message", missing);
        smtp->has_begun_message = true;
        smtp->dot_state = 0;
        turn_settle(smtp, stroke, true);
        return;
    }
    if (is_client) {
        client_line_take(smtp, stroke);
    } else if (speech->len > 0) {
        server_line_take(smtp, stroke, false);
    }
    speech->len = 0;
}

/* The head of a TLS record, RFC 8446 section 5.1. */
static bool bytes_are_tls(const uint8_t *bytes, uint32_t len)
{
    return len >= 5 && bytes[0] >= 20 && bytes[0] <= 23 && bytes[1] == 3 && bytes[2] <= 4;
}

void capture_smtp_take(struct capture_smtp *smtp, const struct capture_stroke *stroke,
    const uint8_t *bytes, uint32_t len, uint32_t missing)
{
    if (smtp->stage == CAPTURE_STAGE_UNKNOWN && bytes_are_tls(bytes, len)) {
        smtp->stage = CAPTURE_STAGE_TLS;
        smtp->has_turned_tls = true;
    }
    while (len > 0) {
        uint32_t used = some_take(smtp, stroke, bytes, len);
        bytes += used;
        len -= used;
    }
    if (missing > 0) {
        missing_take(smtp, stroke, missing);
    }
    if (smtp->stage == CAPTURE_STAGE_UNKNOWN) {
        smtp->last_spoken = stroke->side;
        turn_settle(smtp, stroke, true);
    }
}

void capture_smtp_end(
    struct capture_smtp *smtp, const struct capture_stroke *stroke, enum capture_end end)
{
    bool is_in_mail = smtp->stage == CAPTURE_STAGE_MESSAGE || smtp->stage == CAPTURE_STAGE_CHUNK ||
                      (smtp->asked_count > 0 && asked_head(smtp) == CAPTURE_DOT);
    if (is_in_mail) {
        smtp->cut_side = stroke->side;
    }
    turn_close(smtp, stroke, end);
    smtp->stage = CAPTURE_STAGE_OVER;
}
