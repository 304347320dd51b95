/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/judge.h"

#include <string.h>

#include "base/must.h"
#include "wire/header.h"
#include "wire/match.h"
#include "wire/message.h"

/* An error rcode, from a whole reply or a bare header. */
static enum judge_verdict judge_rcode(unsigned rcode, bool has_edns)
{
    bool may_be_edns = rcode == RCODE_FORMERR || rcode == RCODE_NOTIMP || rcode == RCODE_BADVERS;
    if (may_be_edns && has_edns) {
        return JUDGE_NO_EDNS;
    }
    return rcode == RCODE_REFUSED ? JUDGE_REFUSED : JUDGE_SERVFAIL;
}

/* A name server says of what it knows itself that it does (AA). A resolver in its place would give
 * us what others say, a refusal for instance; and the end of a chain that leads out of the zone is
 * for somebody else to tell. */
static bool judge_is_lame(const struct message *reply, enum normalise_verdict verdict,
    const struct normalised *normalised)
{
    bool is_denial = verdict != NORMALISE_ANSWER;
    bool is_hearsay =
        (reply->flags & HEADER_AA) == 0 && (is_denial || (reply->flags & HEADER_RA) != 0);
    bool is_open = is_denial && normalised->is_chained && !normalised->has_soa;
    return is_hearsay || is_open;
}

static enum judge_verdict judge_records(const struct judge_case *judged,
    const struct message *reply, uint8_t *stored_out, struct normalised *normalised_out)
{
    enum normalise_verdict verdict =
        normalise_reply(reply, &judged->limits, stored_out, MESSAGE_SIZE_MAX, normalised_out);
    if (verdict == NORMALISE_REFERRAL) {
        return judged->is_direct ? JUDGE_REFERRAL : JUDGE_LAME;
    }
    if (verdict == NORMALISE_BROKEN) {
        return JUDGE_MALFORMED;
    }
    if (judged->is_direct && judge_is_lame(reply, verdict, normalised_out)) {
        return JUDGE_LAME;
    }
    switch (verdict) {
    case NORMALISE_ANSWER:
        return JUDGE_ANSWER;
    case NORMALISE_NODATA:
        return JUDGE_NODATA;
    case NORMALISE_NXDOMAIN:
        return JUDGE_NXDOMAIN;
    case NORMALISE_REFERRAL:
    case NORMALISE_BROKEN:
        break;
    }
    return JUDGE_MALFORMED;
}

/* False: without its server's cookie it is nobody's reply (RFC 7873 section 5.3). */
static bool judge_check_cookie(struct judge_cookie *cookie, const struct edns *edns)
{
    if (cookie == NULL) {
        return true;
    }
    cookie->is_checked = true;
    cookie->verdict = cookie_check(edns, cookie->client, cookie->is_expected);
    cookie->received_len = edns->cookie_len;
    memcpy(cookie->received, edns->cookie, sizeof cookie->received);
    return cookie->verdict != COOKIE_MISSING && cookie->verdict != COOKIE_WRONG;
}

/* A header alone cannot carry a cookie; what cannot be read has not shown its own either (RFC 7873
 * section 5.3). From a server with cookies it is nobody's reply, and must not end the wait for the
 * true one. */
static bool judge_may_lack_cookie(struct judge_cookie *cookie)
{
    static const struct edns none;
    return judge_check_cookie(cookie, &none);
}

static enum judge_verdict judge_bare(const struct judge_case *judged)
{
    if (!judge_may_lack_cookie(judged->cookie)) {
        return JUDGE_NO_COOKIE;
    }
    return judge_rcode(header_rcode(judged->bytes), judged->has_edns);
}

static enum judge_verdict judge_message(const struct judge_case *judged,
    const struct message *reply, uint8_t *stored_out, struct normalised *normalised_out)
{
    if (!judge_check_cookie(judged->cookie, &reply->edns)) {
        return JUDGE_NO_COOKIE;
    }
    if (reply->rcode == RCODE_BADCOOKIE && judged->cookie != NULL) {
        return JUDGE_BAD_COOKIE;
    }
    if (reply->rcode != RCODE_NOERROR && reply->rcode != RCODE_NXDOMAIN) {
        return judge_rcode(reply->rcode, judged->has_edns);
    }
    return judge_records(judged, reply, stored_out, normalised_out);
}

enum judge_verdict judge_reply(
    const struct judge_case *judged, uint8_t *stored_out, struct normalised *normalised_out)
{
    switch (match_reply(judged->bytes, judged->len, judged->id, judged->asked)) {
    case MATCH_NO:
        return JUDGE_STRANGER;
    case MATCH_BARE_ERROR:
        return judge_bare(judged);
    case MATCH_OTHER_CASE:
        if (judged->is_spelled) {
            return JUDGE_OTHER_CASE;
        }
        break;
    case MATCH_YES:
        break;
    }
    /* The cut may fall inside a record: a truncated reply need not be readable to its end. A stream
     * has room for everything: what is cut there will never be whole, and half a set of MX records,
     * or none, is no answer (RFC 2181 section 9). A cut reply's cookie may have been cut away, and
     * over TCP none is needed. */
    if ((header_flags(judged->bytes) & HEADER_TC) != 0) {
        return judged->is_stream ? JUDGE_MALFORMED : JUDGE_TRUNCATED;
    }
    struct message reply;
    if (message_read(judged->bytes, judged->len, &reply) != MESSAGE_GOOD) {
        return judge_may_lack_cookie(judged->cookie) ? JUDGE_MALFORMED : JUDGE_NO_COOKIE;
    }
    /* The answer is kept under what was asked. Some servers do not copy the DO bit as they should,
     * so theirs means nothing (RFC 6840 section 5.6), and some send signatures unasked. */
    reply.edns.wants_dnssec = judged->wants_dnssec;
    return judge_message(judged, &reply, stored_out, normalised_out);
}

const char *judge_verdict_name(enum judge_verdict verdict)
{
    switch (verdict) {
    case JUDGE_ANSWER:
        return "answer";
    case JUDGE_NODATA:
        return "nodata";
    case JUDGE_NXDOMAIN:
        return "nxdomain";
    case JUDGE_TRUNCATED:
        return "truncated";
    case JUDGE_NO_EDNS:
        return "no-edns";
    case JUDGE_BAD_COOKIE:
        return "bad-cookie";
    case JUDGE_OTHER_CASE:
        return "other-case";
    case JUDGE_NO_COOKIE:
        return "no-cookie";
    case JUDGE_SERVFAIL:
        return "servfail";
    case JUDGE_REFUSED:
        return "refused";
    case JUDGE_LAME:
        return "lame";
    case JUDGE_REFERRAL:
        return "referral";
    case JUDGE_MALFORMED:
        return "malformed";
    case JUDGE_STRANGER:
        return "stranger";
    }
    must_never("a verdict");
}
