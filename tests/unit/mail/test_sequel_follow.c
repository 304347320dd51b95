/* SPDX-License-Identifier: BSD-2-Clause */
#include "answer.h"

static struct asked asked;
static struct stored stored;
static struct sequel_next next[SEQUEL_NEXT_MAX];

static void test_ptr(void **state)
{
    (void)state;
    ask(&asked, "7.100.51.198.in-addr.arpa", TYPE_PTR);
    stored_begin(&stored, &asked, RCODE_NOERROR);
    add_name(&stored, TYPE_CNAME, "7.sub.100.51.198.in-addr.arpa");
    add_name(&stored, TYPE_PTR, "Mail.Example.COM");
    add_name(&stored, TYPE_PTR, "second.example.com");
    assert_int_equal(follow(&asked, &stored, next), 1);
    assert_next(&next[0], SEQUEL_CLIENT_HOST, "mail.example.com.", TYPE_A);
}

static void test_ptr_of_ipv6(void **state)
{
    (void)state;
    ask(&asked, "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
        TYPE_PTR);
    stored_begin(&stored, &asked, RCODE_NOERROR);
    add_name(&stored, TYPE_PTR, "mail.example.com");
    assert_int_equal(follow(&asked, &stored, next), 1);
    assert_next(&next[0], SEQUEL_CLIENT_HOST, "mail.example.com.", TYPE_AAAA);
}

/* The most preferred first, whatever their order; each with A, AAAA and TLSA; no more than four. */
static void test_mx(void **state)
{
    static const char *const order[] = {
        "mx5.example.com.", "mx10.example.com.", "mx20.example.com.", "mx30.example.com."};
    (void)state;
    ask(&asked, "example.com", TYPE_MX);
    stored_begin(&stored, &asked, RCODE_NOERROR);
    add_mx(&stored, 30, "mx30.example.com");
    add_mx(&stored, 10, "mx10.example.com");
    add_mx(&stored, 50, "mx50.example.com");
    add_mx(&stored, 40, "mx40.example.com");
    add_mx(&stored, 5, "mx5.example.com");
    add_mx(&stored, 20, "mx20.example.com");
    assert_int_equal(follow(&asked, &stored, next), 3 * SEQUEL_EXCHANGES_MAX);
    for (size_t i = 0; i < SEQUEL_EXCHANGES_MAX; i++) {
        char tlsa[64] = "_25._tcp.";
        memcpy(tlsa + 9, order[i], strlen(order[i]) + 1);
        assert_next(&next[3 * i], i == 0 ? SEQUEL_MX_A : SEQUEL_BACKUP_A, order[i], TYPE_A);
        assert_next(
            &next[3 * i + 1], i == 0 ? SEQUEL_MX_AAAA : SEQUEL_BACKUP_AAAA, order[i], TYPE_AAAA);
        assert_next(
            &next[3 * i + 2], i == 0 ? SEQUEL_MX_TLSA : SEQUEL_BACKUP_TLSA, tlsa, TYPE_TLSA);
    }
}

/* RFC 7505: the domain takes no mail. */
static void test_null_mx(void **state)
{
    (void)state;
    ask(&asked, "example.com", TYPE_MX);
    stored_begin(&stored, &asked, RCODE_NOERROR);
    add_mx(&stored, 0, ".");
    assert_int_equal(follow(&asked, &stored, next), 0);
}

static void test_ns(void **state)
{
    (void)state;
    ask(&asked, "example.com", TYPE_NS);
    stored_begin(&stored, &asked, RCODE_NOERROR);
    for (unsigned i = 0; i < 6; i++) {
        add_name(&stored, TYPE_NS, "ns.example.net");
    }
    assert_int_equal(follow(&asked, &stored, next), SEQUEL_EXCHANGES_MAX);
    assert_next(&next[0], SEQUEL_NS_A, "ns.example.net.", TYPE_A);
}

static void test_spf(void **state)
{
    (void)state;
    ask(&asked, "example.com", TYPE_TXT);
    stored_begin(&stored, &asked, RCODE_NOERROR);
    add_txt(&stored, "some-verification=1");
    add_txt(&stored, "v=spf1 include:_spf.exa|mple.net -all");
    add_txt(&stored, "v=spf1 include:second.example -all");
    assert_int_equal(follow(&asked, &stored, next), 1);
    assert_next(&next[0], SEQUEL_SPF_INCLUDE, "_spf.example.net.", TYPE_TXT);
}

static void test_spf_is_bounded(void **state)
{
    (void)state;
    ask(&asked, "example.com", TYPE_TXT);
    stored_begin(&stored, &asked, RCODE_NOERROR);
    add_txt(&stored,
        "v=spf1 a:a.example a:b.example a:c.example a:d.example a:e.example a:f.example |"
        "a:g.example a:h.example a:i.example a:j.example a:k.example a:l.example -all");
    assert_int_equal(follow(&asked, &stored, next), SEQUEL_SPF_MAX);
}

/* A string that is longer than its record, and more text than anybody needs. */
static void test_broken_text(void **state)
{
    static char text[2300];
    (void)state;
    ask(&asked, "example.com", TYPE_TXT);
    stored_begin(&stored, &asked, RCODE_NOERROR);
    add_txt(&stored, "v=spf1 a:a.example");
    stored.bytes[stored.rdata_at]++;
    assert_int_equal(follow(&asked, &stored, next), 0);
    memset(text, ' ', sizeof text - 1);
    memcpy(text, "v=spf1 a:a.example", 18);
    for (size_t i = 250; i < sizeof text - 1; i += 250) {
        text[i] = '|';
    }
    stored_begin(&stored, &asked, RCODE_NOERROR);
    add_txt(&stored, text);
    assert_int_equal(follow(&asked, &stored, next), 0);
}

static void test_dmarc(void **state)
{
    (void)state;
    ask(&asked, "_dmarc.news.mail.example.com", TYPE_TXT);
    stored_begin(&stored, &asked, RCODE_NXDOMAIN);
    assert_int_equal(follow(&asked, &stored, next), 1);
    assert_next(&next[0], SEQUEL_DMARC_PARENT, "_dmarc.mail.example.com.", TYPE_TXT);
    add_txt(&stored, "v=DMARC1; p=none");
    assert_int_equal(follow(&asked, &stored, next), 0);
    ask(&asked, "_dmarc.example.com", TYPE_TXT);
    stored_begin(&stored, &asked, RCODE_NXDOMAIN);
    assert_int_equal(follow(&asked, &stored, next), 0);
}

/* Whatever the cut, nothing is read past the end. */
static void test_cut_anywhere(void **state)
{
    (void)state;
    ask(&asked, "example.com", TYPE_MX);
    stored_begin(&stored, &asked, RCODE_NOERROR);
    add_mx(&stored, 10, "mx10.example.com");
    for (size_t len = 0; len < stored.writer.len; len++) {
        const struct sequel_answer answer = {stored.bytes, len};
        assert_int_equal(sequel_follow(&asked.subject, &answer, next), 0);
    }
}

static void test_nothing_follows_an_address(void **state)
{
    (void)state;
    ask(&asked, "example.com", TYPE_A);
    stored_begin(&stored, &asked, RCODE_NOERROR);
    add_name(&stored, TYPE_NS, "ns.example.net");
    assert_int_equal(follow(&asked, &stored, next), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ptr),
        cmocka_unit_test(test_ptr_of_ipv6),
        cmocka_unit_test(test_mx),
        cmocka_unit_test(test_null_mx),
        cmocka_unit_test(test_ns),
        cmocka_unit_test(test_spf),
        cmocka_unit_test(test_spf_is_bounded),
        cmocka_unit_test(test_broken_text),
        cmocka_unit_test(test_dmarc),
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_nothing_follows_an_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
