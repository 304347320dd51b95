/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * The control socket: how `mxcache stats` and its sisters reach the daemon. A Unix stream socket,
 * mode 0660; who may connect may read, and `may_write` says who may change something. Served by the
 * main thread; at most CONTROL_CLIENTS_MAX at a time, each line and each pause bounded.
 *
 * The protocol is text. A request is one line, COMMAND and arguments separated by blanks, at most
 * CONTROL_LINE_MAX bytes. An answer is lines: the first is `ok` or `error SENTENCE`, the last is a
 * single dot. Several requests may follow each other on one connection. Readers pass over lines and
 * trailing words that they do not know; so both can grow.
 *
 *     ping
 *
 *     stats
 *         info VERSION UPTIME_S WORKERS PID CONFIG
 *         metric NAME KIND VALUE
 *         wait CLASS OUTCOME COUNT SUM_US MAX_US BUCKETS
 *         upstream GROUP ADDRESS TLS STATE SENT ANSWERED FAILED TIMEDOUT LOST LATENCY_US P50_US
 *             P90_US P99_US MAX_US, all on one line
 *         list ZONE STANDING DAY QUOTA WAIT_P50_US WAIT_P99_US WAIT_MAX_US MISS_P50_US MISS_P99_US
 *             MISS_MAX_US COUNT..., all on one line
 *         round_trip GROUP ADDRESS TLS WAY COUNT SUM_US MAX_US BUCKETS
 *         list_wait ZONE WHAT COUNT SUM_US MAX_US BUCKETS
 *         ahead STEP on|off
 *
 *     stats since SECONDS: the same, of the time since then, by minutes; and
 *         covers SECONDS
 *
 *     upstreams
 *         upstream GROUP ADDRESS TLS
 *
 *     lookup NAME [TYPE]; for each cached variant (DO and CD flag) an entry and a message:
 *         list ZONE KEY
 *         entry VERDICT KIND AGE_S TTL_LEFT_S HITS DO CD AD ORIGIN SEGMENT REASON COST_US EDE
 *         message HEX
 *
 *     trace start NAME [TYPE]: asks anew, and tells by what number that can be followed
 *         list ZONE KEY
 *         trace ID
 *
 *     trace look ID FROM: the events from number FROM on; when it is over, the other lines too
 *         event and left-out, as of slow
 *         over WAITED_US JOINED_US OUTCOME RCODE EDE
 *         reason SENTENCE
 *         message HEX
 *
 *     slow, slow failed: the last hour's slowest or failed questions; for each, `event` often:
 *         question AGE_S WAITED_US JOINED_US COUNT TYPE DO OUTCOME RCODE EDE NAME
 *         reason SENTENCE
 *         event AT_US KIND SERVER TRANSPORT DETAIL RCODE LATE
 *         left-out COUNT
 *
 *     slow names, slow failed names: the same, with the subjects of list questions
 *
 *     flush name NAME, flush under NAME, flush all
 *         flushed COUNT
 *
 *     reload
 *         finding FILE:LINE:COLUMN: LEVEL: SENTENCE
 *         note SENTENCE
 *
 * CONFIG is a path, KIND of a metric counter or gauge, TLS a name; each is - when there is none, as
 * is HEX of an empty message. VERDICT is fresh or stale; KIND of an entry answer, nodata, nxdomain
 * or failure; DO, CD and AD are 0 or 1. SEGMENT is probation, protected or list; REASON is client,
 * refresh, ahead or snapshot; COST_US is 0 when it is not known; EDE is -1 for none. The list line
 * is there when NAME is at or below the ZONE of a DNS list; KEY is 1 when the label before the zone
 * is the customer's key.
 *
 * A list line stands for one DNS list in use (ZONE -: all that found no place of their own), never
 * with the customer's key. STANDING is well, ended, or a list_cause_name() of mail/list_answer.h;
 * DAY is the number of messages sent to it in the last day; each COUNT is a row of
 * resolver/list_metrics.def, in that order.
 *
 * A question line stands for COUNT questions for one name and type, of which it tells the longest
 * wait. Its NAME never has a customer's key, and the subject of a list question is ? unless names
 * were asked for. EDE is -1 for none. Its time line counts from the beginning of the fetch, to
 * which the question came JOINED_US later. KIND of an event, its TRANSPORT and its DETAIL are those
 * of resolver/timeline.h and judge_verdict_name(); LATE is 1 when the try had been given up.
 *
 * A wait line stands for one class of question and one outcome (resolver/stats.h), if there was
 * any; a round_trip line for one way to a server that stands above, WAY being datagram or stream; a
 * list_wait line for a list that stands above, WHAT being wait (of clients) or miss (of fetches).
 * BUCKETS is BUCKET:COUNT[,BUCKET:COUNT]..., those of base/histogram.h that are not empty. ADDRESS
 * is ADDRESS@PORT. STEP is one of mail/sequel.h.
 */
#define CONTROL_CLIENTS_MAX 16
#define CONTROL_LINE_MAX    2048
#define CONTROL_IDLE_S      5
#define CONTROL_ANSWER_MAX  (8 << 20) /* Hundreds of servers and lists, all buckets filled. */

struct control;
struct ev_loop;
struct identity;
struct text;
struct trouble;
struct daemon_stats;

struct control_peer {
    uid_t uid;
    gid_t gid;
    bool may_write;     /* Root, our own user, or of the socket's group. */
    bool may_see_names; /* Root or our own user: whom list questions are about. */
};

/* Answers one request: writes lines, the dot excluded. */
typedef void control_handler(void *world, const struct control_peer *peer, const char *line,
    size_t len, struct text *answer);

struct control_options {
    struct ev_loop *loop;
    const char *path;
    const struct identity *identity; /* Who is to own the socket. */
    struct daemon_stats *stats;
    control_handler *handler;
    void *world;
};

/* Makes the socket, and the last folder of its path if that is missing. A socket that a dead daemon
 * left behind is replaced, one that answers is not. NULL: trouble. */
struct control *control_new(const struct control_options *options, struct trouble *trouble);

/* Removes the socket from the file system, if it is still ours. */
void control_free(struct control **control);
