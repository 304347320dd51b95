/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "doctor/facts.h"
#include "doctor/host.h"
#include "tests/support/host_fixture.h"

static struct host_fixture fixture;
static struct host host;
static struct facts facts;

static int set_up(void **state)
{
    (void)state;
    host_fixture_init(&fixture);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    facts_fini(&facts);
    host_fini(&host);
    host_fixture_fini(&fixture);
    return 0;
}

static void gather(void)
{
    facts = (struct facts){0};
    assert_true(host_init(&host, fixture.root));
    facts_gather(&facts, &host);
}

/* The one entry of that program for that list, as it is shown. */
static const struct list_use *expect_use(enum list_use_by by, const char *shown)
{
    const struct list_use *found = NULL;
    for (size_t i = 0; i < facts.lists.count; i++) {
        const struct list_use *use = &facts.lists.uses[i];
        if (use->by == by && strcmp(use->shown, shown) == 0) {
            assert_null(found);
            found = use;
        }
    }
    if (found == NULL) {
        fail_msg("no entry for %s", shown);
    }
    return found;
}

static void expect_no_text(const char *text)
{
    for (size_t i = 0; i < facts.lists.count; i++) {
        const struct list_use *use = &facts.lists.uses[i];
        assert_null(strstr(use->shown, text));
        assert_null(strstr(use->place, text));
        assert_null(strstr(use->word, text));
    }
}

#define KEY "abcdefghij0123456789klmnop"

static void test_postfix(void **state)
{
    (void)state;
    host_fixture_write(&fixture, "/etc/postfix/main.cf",
        "smtpd_restriction_classes = strict\n"
        "strict = reject_rbl_client bl.spamcop.net\n"
        "lists = reject_rbl_client ZEN.spamhaus.org.=127.0.0.[2..11]\n"
        "smtpd_recipient_restrictions = permit_mynetworks, $lists,\n"
        "  warn_if_reject reject_rbl_client psbl.surriel.com,\n"
        "  reject_rhsbl_sender dbl.spamhaus.org=127.0.1.[2..99]\n"
        "  permit_dnswl_client list.dnswl.org=127.0.[0..255].[1..3]\n"
        "  reject_rbl_client " KEY ".zen.dq.spamhaus.net\n"
        "smtpd_client_restrictions = reject_rbl_client old.example.org\n"
        "smtpd_client_restrictions = reject_rbl_client safe.dnsbl.sorbs.net\n"
        "not_in_use = reject_rbl_client unused.example.org\n"
        "postscreen_dnsbl_sites = zen.spamhaus.org=127.0.0.[2..11]*3\n"
        "  list.dnswl.org=127.0.[0..255].[1..3]*-2, bl.example.org\n");
    host_fixture_write(&fixture, "/etc/postfix/master.cf",
        "smtp inet n - y - 1 postscreen\n"
        "smtpd pass - - y - - smtpd\n"
        "submission inet n - y - - smtpd\n"
        "  -o smtpd_helo_restrictions=reject_rhsbl_helo,dbl.example.org\n");
    gather();
    assert_int_equal(facts.lists.count, 11);

    const struct list_use *use = expect_use(LIST_USE_REJECT, "zen.spamhaus.org");
    assert_true(use->has_filter);
    assert_non_null(use->known);
    assert_string_equal(use->place, "/etc/postfix/main.cf:4");
    assert_string_equal(use->word, "reject_rbl_client");
    use = expect_use(LIST_USE_REJECT, "bl.spamcop.net");
    assert_false(use->has_filter);
    assert_string_equal(use->place, "/etc/postfix/main.cf:2");
    assert_true(expect_use(LIST_USE_REJECT, "psbl.surriel.com")->warns_only);
    use = expect_use(LIST_USE_REJECT_DOMAIN, "dbl.spamhaus.org");
    assert_int_equal(use->kind, LIST_KIND_DOMAIN);
    assert_false(use->warns_only);
    assert_true(list_use_is_allow(expect_use(LIST_USE_PERMIT, "list.dnswl.org")));
    use = expect_use(LIST_USE_REJECT, "*.zen.dq.spamhaus.net");
    assert_true(use->has_key);
    assert_false(use->has_filter);
    use = expect_use(LIST_USE_REJECT, "safe.dnsbl.sorbs.net");
    assert_non_null(use->known->ended);
    use = expect_use(LIST_USE_REJECT_DOMAIN, "dbl.example.org");
    assert_null(use->known);
    assert_string_equal(use->place, "/etc/postfix/master.cf:3");
    assert_int_equal(expect_use(LIST_USE_POSTSCREEN, "zen.spamhaus.org")->weight, 3);
    assert_int_equal(expect_use(LIST_USE_POSTSCREEN, "list.dnswl.org")->weight, -2);
    assert_int_equal(expect_use(LIST_USE_POSTSCREEN, "bl.example.org")->weight, 1);
    expect_no_text(KEY);
}

/* The one without a filter is the one that can hurt. */
static void test_the_worse_mention_counts(void **state)
{
    (void)state;
    host_fixture_write(&fixture, "/etc/postfix/main.cf",
        "smtpd_client_restrictions = reject_rbl_client zen.spamhaus.org=127.0.0.2\n"
        "smtpd_recipient_restrictions = reject_rbl_client zen.spamhaus.org\n");
    gather();
    assert_int_equal(facts.lists.count, 1);
    assert_false(facts.lists.uses[0].has_filter);
    assert_string_equal(facts.lists.uses[0].place, "/etc/postfix/main.cf:2");
}

/* Nobody asks the sites where postscreen does not run, as on a default host. */
static void test_postscreen_that_does_not_run(void **state)
{
    (void)state;
    host_fixture_write(
        &fixture, "/etc/postfix/main.cf", "postscreen_dnsbl_sites = zen.spamhaus.org\n");
    host_fixture_write(&fixture, "/etc/postfix/master.cf", "smtp inet n - y - - smtpd\n");
    gather();
    assert_int_equal(facts.lists.count, 0);
}

static const char rspamd_defaults[] = "rbl {\n"
                                      "  default_from = true; # of all\n"
                                      "  .include(try=true,priority=5) \"${DBDIR}/x.conf\"\n"
                                      "  /* rbls { ghost { rbl = \"ghost.example.org\"; } } */\n"
                                      "  rbls {\n"
                                      "    spamhaus {\n"
                                      "      rbl = \"zen.spamhaus.org\";\n"
                                      "      returncodes { RBL_SPAMHAUS_SBL = [\"127.0.0.2\"]; }\n"
                                      "    }\n"
                                      "    \"mailspike\" = { rbl: \"rep.mailspike.net\" }\n"
                                      "    nixspam { rbl \"ix.dnsbl.manitu.net\"; }\n"
                                      "    off { enabled = false; rbl = \"off.example.org\"; }\n"
                                      "  }\n"
                                      "}\n";

static void test_rspamd(void **state)
{
    (void)state;
    host_fixture_write(&fixture, "/usr/bin/rspamd", "");
    host_fixture_write(&fixture, "/etc/rspamd/modules.d/rbl.conf", rspamd_defaults);
    host_fixture_write(&fixture, "/etc/rspamd/local.d/rbl.conf",
        "rbls {\n"
        "  nixspam { enabled = false; }\n"
        "  spamhaus { rbl = \"" KEY ".zen.dq.spamhaus.net\"; }\n"
        "  mine { rbl = secret1secret2secret3.bl.example.org; }\n"
        "}\n");
    gather();
    assert_int_equal(facts.lists.count, 3);
    const struct list_use *use = expect_use(LIST_USE_RSPAMD, "*.zen.dq.spamhaus.net");
    assert_string_equal(use->place, "/etc/rspamd/local.d/rbl.conf:3");
    assert_string_equal(use->word, "spamhaus");
    assert_false(use->is_default);
    use = expect_use(LIST_USE_RSPAMD, "rep.mailspike.net");
    assert_true(use->is_default);
    assert_string_equal(use->place, "/etc/rspamd/modules.d/rbl.conf:10");
    assert_true(expect_use(LIST_USE_RSPAMD, "*.bl.example.org")->has_key);
    expect_no_text(KEY);
    expect_no_text("secret");
}

static void test_rspamd_off_or_gone(void **state)
{
    (void)state;
    host_fixture_write(&fixture, "/etc/rspamd/modules.d/rbl.conf", rspamd_defaults);
    gather();
    assert_int_equal(facts.lists.count, 0);
    facts_fini(&facts);
    host_fini(&host);
    host_fixture_write(&fixture, "/usr/bin/rspamd", "");
    host_fixture_write(&fixture, "/etc/rspamd/local.d/rbl.conf", "enabled = false;\n");
    gather();
    assert_int_equal(facts.lists.count, 0);
}

static void test_spamassassin(void **state)
{
    (void)state;
    host_fixture_write(&fixture, "/usr/sbin/spamd", "");
    host_fixture_write(&fixture, "/etc/spamassassin/local.cf",
        "# header X eval:check_rbl('ghost', 'ghost.example.org')\n"
        "header   __RCVD_ZEN  eval:check_rbl('zen', 'zen.spamhaus.org.')\n"
        "header   SUB         eval:check_rbl_sub('zen', '127.0.0.2')\n"
        "header   FROM_DBL    eval:check_rbl_from_domain('dbl','" KEY ".dbl.dq.spamhaus.net.')\n"
        "urirhssub URI_X      multi.uribl.com. A 2\n"
        "uridnsbl  URI_IP     sbl.spamhaus.org. TXT\n"
        "askdns    ASK        _AUTHORDOMAIN_.dbl.example.org A /^127/\n"
        "askdns    NOZONE     _dmarc._AUTHORDOMAIN_ TXT /x/\n"
        "urirhsbl  DENIED     denied.example.org. A\n"
        "urirhsbl  UNSCORED   unscored.example.org. A\n"
        "dns_query_restriction deny example.net denied.example.org\n"
        "score UNSCORED 0\n");
    host_fixture_write(&fixture,
        "/var/lib/spamassassin/4.000001/updates_spamassassin_org/25_uribl.cf",
        "urirhssub SURBL multi.surbl.org. A 8\n");
    host_fixture_write(&fixture, "/usr/share/spamassassin/20_dnsbl_tests.cf",
        "header OLD eval:check_rbl('old', 'old.example.org')\n");
    gather();
    assert_int_equal(facts.lists.count, 6);
    assert_int_equal(expect_use(LIST_USE_SPAMASSASSIN, "zen.spamhaus.org")->kind, LIST_KIND_IP);
    assert_string_equal(expect_use(LIST_USE_SPAMASSASSIN, "*.dbl.dq.spamhaus.net")->place,
        "/etc/spamassassin/local.cf:4");
    (void)expect_use(LIST_USE_SPAMASSASSIN, "multi.uribl.com");
    (void)expect_use(LIST_USE_SPAMASSASSIN, "sbl.spamhaus.org");
    (void)expect_use(LIST_USE_SPAMASSASSIN, "dbl.example.org");
    assert_true(expect_use(LIST_USE_SPAMASSASSIN, "multi.surbl.org")->is_default);
    expect_no_text(KEY);
}

static void test_spamassassin_without_dns(void **state)
{
    (void)state;
    host_fixture_write(&fixture, "/usr/sbin/spamd", "");
    host_fixture_write(&fixture, "/etc/spamassassin/local.cf",
        "urirhssub URI_X multi.uribl.com. A 2\nskip_rbl_checks 1\n");
    gather();
    assert_int_equal(facts.lists.count, 0);
}

/* A file of anybody's making: a line of a megabyte, bytes that are no text, blocks without end. */
static void test_hostile_files(void **state)
{
    const size_t size = 1 << 20;
    char *bytes = malloc(size);
    (void)state;
    assert_non_null(bytes);
    host_fixture_write(&fixture, "/usr/sbin/spamd", "");
    host_fixture_write(&fixture, "/usr/bin/rspamd", "");
    memset(bytes, '{', size);
    host_fixture_write_bytes(&fixture, "/etc/rspamd/modules.d/rbl.conf", bytes, size);
    memset(bytes, '"', size);
    host_fixture_write_bytes(&fixture, "/etc/rspamd/local.d/rbl.conf", bytes, size);
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (char)(i * 31 % 251);
    }
    memcpy(bytes, "/*", 2);
    host_fixture_write_bytes(&fixture, "/etc/rspamd/override.d/rbl.conf", bytes, size);
    memcpy(bytes, "header X eval:check_rbl('\0', '", 30);
    host_fixture_write_bytes(&fixture, "/etc/spamassassin/local.cf", bytes, size);
    memset(bytes, ' ', size);
    memcpy(bytes, "smtpd_client_restrictions = ", 28);
    for (size_t at = 28; at + 40 < size; at += 40) {
        (void)snprintf(bytes + at, 40, "reject_rbl_client a%zu.example.org", at);
        bytes[at + strlen(bytes + at)] = ' ';
    }
    host_fixture_write_bytes(&fixture, "/etc/postfix/main.cf", bytes, size);
    gather();
    assert_in_range(facts.lists.count, 1, LIST_USES_MAX);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_postfix, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_worse_mention_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_postscreen_that_does_not_run, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rspamd, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rspamd_off_or_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_spamassassin, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_spamassassin_without_dns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hostile_files, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
