/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "tests/support/capture_writer.h"

/*
 * Conversations as they were seen on real hosts, one table each: who says what, and when. The
 * judge's test knows what each is; the seeds of the fuzz target are made of them.
 */
#define ROWS(...)                                                                                  \
    {__VA_ARGS__}, (sizeof((struct script_row[]){__VA_ARGS__}) / sizeof(struct script_row))
#define SCRIPT_ROWS_MAX 48

struct script_case {
    const char *name;
    struct script_row rows[SCRIPT_ROWS_MAX];
    size_t count;
};

#define OPENING                                                                                    \
    {0.000, 'C', NULL, S_SYN, 0}, {0.020, 'S', NULL, S_SYN, 0},                                    \
    {                                                                                              \
        0.040, 'C', NULL, S_BARE, 0                                                                \
    }
#define GREETING                                                                                   \
    OPENING, {0.060, 'S', "220 mx.example.org ESMTP Postfix\r\n", 0, 0},                           \
        {0.080, 'C', "EHLO out.example.net\r\n", 0, 0},                                            \
    {                                                                                              \
        0.100, 'S', "250-mx.example.org\r\n250-PIPELINING\r\n250 SMTPUTF8\r\n", 0, 0               \
    }
#define ENVELOPE                                                                                   \
    GREETING, {0.120, 'C', "MAIL FROM:<anna@example.net>\r\n", 0, 0},                              \
        {0.140, 'S', "250 2.1.0 Ok\r\n", 0, 0},                                                    \
        {0.160, 'C', "RCPT TO:<bert@example.org>\r\n", 0, 0},                                      \
    {                                                                                              \
        0.180, 'S', "250 2.1.5 Ok\r\n", 0, 0                                                       \
    }
#define GO_AHEAD                                                                                   \
    ENVELOPE, {0.200, 'C', "DATA\r\n", 0, 0},                                                      \
    {                                                                                              \
        0.220, 'S', "354 End data with <CR><LF>.<CR><LF>\r\n", 0, 0                                \
    }
#define ENDING(at)                                                                                 \
    {(at), 'C', "QUIT\r\n", 0, 0}, {(at) + 0.020, 'S', "221 2.0.0 Bye\r\n", 0, 0},                 \
        {(at) + 0.021, 'S', NULL, S_FIN, 0}, {(at) + 0.040, 'C', NULL, S_FIN, 0},                  \
    {                                                                                              \
        (at) + 0.060, 'S', NULL, S_BARE, 0                                                         \
    }

static const struct script_case script_cases[] = {
    {"healthy", ROWS(GO_AHEAD, {0.240, 'C', "x\r\n.\r\n", S_FILL, 900},
                    {0.300, 'S', "250 2.0.0 Ok: queued as 4X\r\n", 0, 0}, ENDING(0.320))},
    {"healthy-pipelined",
        ROWS(GREETING,
            {0.120, 'C',
                "MAIL FROM:<a@example.net>\r\nRCPT TO:<b@example.org>\r\nRCPT "
                "TO:<c@example.org>\r\n"
                "DATA\r\n",
                0, 0},
            {0.200, 'S', "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n250 2.1.5 Ok\r\n354 End data with .\r\n",
                0, 0},
            {0.240, 'C', "x\r\n.", S_FILL, 900}, {0.250, 'C', "\r\nQUIT\r\n", 0, 0},
            {0.300, 'S', "250 2.0.0 Ok: queued\r\n221 2.0.0 Bye\r\n", 0, 0},
            {0.301, 'S', NULL, S_FIN, 0}, {0.320, 'C', NULL, S_FIN, 0})},
    {"healthy-chunks",
        ROWS(ENVELOPE, {0.200, 'C', "BDAT 904\r\nabcd", 0, 0}, {0.220, 'C', "", S_FILL, 900},
            {0.240, 'S', "250 2.0.0 904 bytes\r\n", 0, 0},
            {0.260, 'C', "BDAT 5 LAST\r\n.\r\nQU", 0, 0}, {0.300, 'S', "250 2.0.0 Ok\r\n", 0, 0},
            ENDING(0.320))},
    {"healthy-postscreen", ROWS(OPENING, {0.060, 'S', "220-mx.example.org ESMTP\r\n", 0, 0},
                               {6.060, 'S', "220 mx.example.org ESMTP\r\n", 0, 0},
                               {6.080, 'C', "EHLO out.example.net\r\n", 0, 0},
                               {6.100, 'S', "250 ok\r\n", 0, 0}, ENDING(6.320))},
    {"healthy-idle",
        ROWS(GO_AHEAD, {0.240, 'C', "x\r\n.\r\n", S_FILL, 900},
            {0.300, 'S', "250 2.0.0 Ok\r\n", 0, 0}, {100.3, 'C', NULL, S_BARE, 0},
            {300.3, 'S', "421 4.4.2 mx.example.org Error: timeout exceeded\r\n", S_FIN, 0},
            {300.4, 'C', NULL, S_FIN, 0})},
    {"stalled-354-late",
        ROWS(GO_AHEAD, {60.220, 'S', "421 4.4.2 mx.example.org Error: timeout exceeded\r\n", 0, 0},
            {60.221, 'S', NULL, S_FIN, 0}, {60.240, 'C', NULL, S_BARE, 0},
            {72.500, 'C', "x\r\n.\r\n", S_FILL, 900}, {72.520, 'S', NULL, S_RST, 0})},
    {"stalled-354-silent",
        ROWS(GO_AHEAD, {300.220, 'S', "421 4.4.2 mx Error: timeout exceeded\r\n", S_FIN, 0})},
    {"stalled-message",
        ROWS(GO_AHEAD, {0.240, 'C', "x\r\n", S_FILL, 900}, {0.260, 'S', NULL, S_BARE, 0},
            {120.240, 'S', "421 4.4.2 mx Error: timeout exceeded\r\n", S_FIN, 0})},
    {"stalled-banner-dns", ROWS(OPENING, {20.060, 'S', "220 mx.example.org ESMTP\r\n", 0, 0},
                               {20.080, 'C', "EHLO out.example.net\r\n", 0, 0},
                               {20.1, 'S', "250 ok\r\n", 0, 0}, ENDING(20.320))},
    {"stalled-banner-given-up", ROWS(OPENING, {300.06, 'C', NULL, S_FIN, 0})},
    {"stalled-rcpt", ROWS(GREETING, {0.120, 'C', "MAIL FROM:<a@example.net>\r\n", 0, 0},
                         {0.140, 'S', "250 2.1.0 Ok\r\n", 0, 0},
                         {0.160, 'C', "RCPT TO:<b@example.org>\r\n", 0, 0},
                         {10.17, 'S', "250 Ok\r\n", 0, 0}, ENDING(10.320))},
    {"stalled-rcpt-given-up",
        ROWS(GREETING,
            {0.120, 'C', "MAIL FROM:<a@example.net>\r\nRCPT TO:<b@example.org>\r\n", 0, 0},
            {0.140, 'S', "250 2.1.0 Ok\r\n", 0, 0}, {300.1, 'C', NULL, S_RST, 0})},
    {"stalled-dot", ROWS(GO_AHEAD, {0.240, 'C', "x\r\n.\r\n", S_FILL, 900},
                        {0.260, 'S', NULL, S_BARE, 0}, {600.240, 'C', NULL, S_FIN, 0})},
    {"stalled-after-rcpt",
        ROWS(ENVELOPE, {60.180, 'S', "421 4.4.2 mx Error: timeout exceeded\r\n", S_FIN, 0})},
    {"black-hole-sender",
        ROWS(GO_AHEAD, {0.240, 'C', "", S_FILL, 1460}, {0.241, 'C', "x\r\n.\r\n", S_FILL, 200},
            {0.261, 'S', NULL, S_BARE | S_NO_ACK, 0}, {0.500, 'C', NULL, S_AGAIN, 0},
            {60.5, 'S', "421 4.4.2 timeout\r\n", S_NO_ACK, 0})},
    {"black-hole-long", ROWS(GO_AHEAD, {0.240, 'C', "", S_FILL, 1460},
                            {0.450, 'C', NULL, S_AGAIN, 0}, {0.850, 'C', NULL, S_AGAIN, 0},
                            {1.650, 'C', NULL, S_AGAIN, 0}, {3.250, 'C', NULL, S_AGAIN, 0},
                            {60.2, 'S', "421 4.4.2 timeout\r\n", S_NO_ACK | S_FIN, 0})},
    {"black-hole-receiver",
        ROWS(GO_AHEAD, {0.240, 'C', "", S_FILL | S_LOST, 1460},
            {0.241, 'C', "x\r\n.\r\n", S_FILL, 200}, {0.242, 'S', NULL, S_BARE | S_NO_ACK, 0},
            {60.220, 'S', "421 4.4.2 timeout\r\n", S_NO_ACK | S_FIN, 0})},
    {"loss",
        ROWS(GREETING, {0.120, 'C', "MAIL FROM:<a@example.net>\r\n", 0, 0},
            {0.320, 'C', NULL, S_AGAIN, 0}, {0.720, 'C', NULL, S_AGAIN, 0},
            {1.520, 'C', NULL, S_AGAIN, 0}, {3.120, 'C', NULL, S_AGAIN, 0},
            {6.320, 'C', NULL, S_AGAIN, 0}, {6.340, 'S', "250 2.1.0 Ok\r\n", 0, 0}, ENDING(6.4))},
    {"blocked", ROWS(GO_AHEAD, {0.240, 'C', "x\r\n", S_FILL, 900},
                    {0.260, 'S', NULL, S_BARE | S_SHUT, 0}, {30.0, 'S', NULL, S_BARE | S_SHUT, 0},
                    {60.0, 'S', NULL, S_BARE, 0}, {60.020, 'C', "x\r\n.\r\n", S_FILL, 900},
                    {60.1, 'S', "250 Ok\r\n", 0, 0}, ENDING(60.320))},
    {"unanswered", ROWS({0.0, 'C', NULL, S_SYN, 0}, {1.0, 'C', NULL, S_SYN | S_AGAIN, 0},
                       {3.0, 'C', NULL, S_SYN | S_AGAIN, 0}, {7.0, 'C', NULL, S_SYN | S_AGAIN, 0})},
    {"refused", ROWS({0.0, 'C', NULL, S_SYN, 0}, {0.020, 'S', NULL, S_RST, 0})},
    {"greylisted",
        ROWS(GREETING, {0.120, 'C', "MAIL FROM:<a@example.net>\r\n", 0, 0},
            {0.140, 'S', "250 2.1.0 Ok\r\n", 0, 0},
            {0.160, 'C', "RCPT TO:<bert@example.org>\r\n", 0, 0},
            {0.180, 'S',
                "450 4.2.0 <bert@example.org>: Recipient address rejected: Greylisted, see x\r\n",
                0, 0},
            ENDING(0.320))},
    {"dns-deferred",
        ROWS(GREETING, {0.120, 'C', "MAIL FROM:<a@example.net>\r\n", 0, 0},
            {0.140, 'S', "250 2.1.0 Ok\r\n", 0, 0},
            {0.160, 'C', "RCPT TO:<bert@example.org>\r\n", 0, 0},
            {0.180, 'S', "450 4.7.25 Client host rejected: cannot find your reverse hostname\r\n",
                0, 0},
            ENDING(0.320))},
    {"turned-away",
        ROWS(OPENING, {0.060, 'S', "421 4.7.0 mx Error: too many connections\r\n", S_FIN, 0},
            {0.080, 'C', NULL, S_FIN, 0})},
    {"broken-off",
        ROWS(GO_AHEAD, {0.240, 'C', "x\r\n", S_FILL, 900}, {0.300, 'C', NULL, S_RST, 0})},
    {"tarpit",
        ROWS(OPENING, {3.060, 'S', "220 mx ESMTP\r\n", 0, 0}, {3.080, 'C', "EHLO a\r\n", 0, 0},
            {6.100, 'S', "250 mx\r\n", 0, 0}, {6.120, 'C', "MAIL FROM:<a@example.net>\r\n", 0, 0},
            {9.140, 'S', "250 Ok\r\n", 0, 0}, {9.160, 'C', "RCPT TO:<b@example.org>\r\n", 0, 0},
            {12.180, 'S', "250 Ok\r\n", 0, 0}, {12.200, 'C', "DATA\r\n", 0, 0},
            {15.220, 'S', "354 go\r\n", 0, 0}, {15.240, 'C', "x\r\n.\r\n", S_FILL, 900},
            {18.260, 'S', "250 Ok\r\n", 0, 0}, ENDING(18.320))},
    {"encrypted", ROWS(GREETING, {0.120, 'C', "STARTTLS\r\n", 0, 0},
                      {0.140, 'S', "220 2.0.0 Ready to start TLS\r\n", 0, 0},
                      {0.160, 'C', "\x16\x03\x01\x01", S_FILL, 517},
                      {0.200, 'S', "\x16\x03\x03\x01", S_FILL, 1400},
                      {0.220, 'C', "\x17\x03\x03\x01", S_FILL, 80},
                      {0.240, 'S', "\x17\x03\x03\x01", S_FILL, 60},
                      {60.240, 'S', "\x17\x03\x03\x01", S_FILL, 60}, {60.241, 'S', NULL, S_FIN, 0},
                      {60.280, 'C', NULL, S_FIN, 0})},
    {"reordered", ROWS(GO_AHEAD, {0.240, 'C', "", S_FILL | S_HELD, 500},
                      {0.241, 'C', "x\r\n.\r\n", S_FILL, 9},
                      {0.300, 'S', "250 2.0.0 Ok: queued as 4X\r\n", 0, 0}, ENDING(0.320))},
    {"from-the-middle",
        ROWS({0.0, 'C', "blah blah\r\nblah", 0, 0}, {0.1, 'C', "x\r\n.\r\n", S_FILL, 900},
            {0.2, 'S', "250 2.0.0 Ok: queued\r\n", 0, 0},
            {0.3, 'C', "MAIL FROM:<a@b.example>\r\n", 0, 0}, {0.4, 'S', "250 2.1.0 Ok\r\n", 0, 0},
            {0.5, 'C', "RCPT TO:<c@d.example>\r\n", 0, 0}, {15.5, 'S', "250 2.1.5 Ok\r\n", 0, 0},
            ENDING(15.6))},
    {"not-captured", ROWS(GO_AHEAD, {0.240, 'C', "x\r\n", S_FILL | S_LOST, 900},
                         {0.250, 'C', "x\r\n.\r\n", S_FILL, 90},
                         {0.300, 'S', "250 2.0.0 Ok: queued as 4X\r\n", 0, 0}, ENDING(0.320))},
    {"password", ROWS(GREETING, {0.120, 'C', "AUTH LOGIN\r\n", 0, 0},
                     {0.140, 'S', "334 VXNlcm5hbWU6\r\n", 0, 0}, {0.160, 'C', "c2VjcmV0\r\n", 0, 0},
                     {0.180, 'S', "334 UGFzc3dvcmQ6\r\n", 0, 0}, {0.200, 'C', "c2VjcmV0\r\n", 0, 0},
                     {12.3, 'S', "235 2.7.0 Ok\r\n", 0, 0}, ENDING(12.4))},
};

#define SCRIPT_CASES (sizeof script_cases / sizeof script_cases[0])

static inline const struct script_case *script_find(const char *name)
{
    for (size_t i = 0; i < SCRIPT_CASES; i++) {
        if (strcmp(script_cases[i].name, name) == 0) {
            return &script_cases[i];
        }
    }
    abort();
}
