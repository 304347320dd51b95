/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/doctor/mail_host_scene.h"

#define UFW_ON      "/etc/ufw/ufw.conf"
#define UFW_RULES   "/etc/ufw/user.rules"
#define NFT         "/etc/nftables.conf"
#define IPTABLES    "/etc/iptables/rules.v4"
#define TUPLE       "### tuple ### "
#define ANYBODY     " 0.0.0.0/0 any 0.0.0.0/0 in\n"
#define NFT_CHAIN   "table inet filter {\n chain input {\n  type filter hook input priority 0;"
#define NFT_END     "\n }\n chain out { type filter hook output priority 0; policy drop; }\n}\n"
#define NFT_USUAL   " policy drop;\n  ct state established,related accept\n  iif \"lo\" accept\n"
#define FILTER_DROP "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n-A INPUT -i lo -j ACCEPT\n"
#define COMMIT      "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\nCOMMIT\n"

/* What a file says of port 25. */
struct firewall_case {
    const char *text;
    enum report_level level;
    const char *part;
};

static void enable(const char *unit, const char *target)
{
    char path[256];
    (void)snprintf(path, sizeof path, "/etc/systemd/system/%s.wants/%s", target, unit);
    host_fixture_link(&fixture, path, "/lib/systemd/system/x");
}

static void expect_cases(const char *path, const struct firewall_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        host_fixture_write(&fixture, path, cases[i].text);
        expect(CHECK_fw_rules, cases[i].level, cases[i].part);
        assert_int_equal(fixture.doctor->report.count, 1);
    }
}

static void test_none(void **state)
{
    (void)state;
    expect(CHECK_fw_rules, REPORT_GOOD, "No firewall is set up");
    host_fixture_write(&fixture, UFW_ON, "ENABLED=no\n");
    host_fixture_write(&fixture, NFT, NFT_CHAIN NFT_USUAL NFT_END);
    expect(CHECK_fw_rules, REPORT_GOOD, "No firewall is set up");
    mail_host_main_add(&fixture, "inet_interfaces = loopback-only\n");
    expect(CHECK_fw_rules, REPORT_SKIPPED, "offers no port");
}

static void test_ufw(void **state)
{
    static const struct firewall_case cases[] = {
        {"", REPORT_ERROR, "no rule of /etc/ufw/user.rules"},
        {TUPLE "allow tcp 22" ANYBODY, REPORT_ERROR, "ufw allow 25/tcp"},
        {TUPLE "allow tcp 25" ANYBODY, REPORT_GOOD, "ufw lets TCP port 25 in"},
        {TUPLE "limit any 20:30" ANYBODY, REPORT_GOOD, NULL},
        {TUPLE "allow tcp 25 0.0.0.0/0 any 0.0.0.0/0 Postfix - in\n", REPORT_GOOD, NULL},
        {TUPLE "allow tcp 25 0.0.0.0/0 any 192.0.2.0/24 in\n", REPORT_ERROR, NULL},
        {TUPLE "allow udp 25" ANYBODY, REPORT_ERROR, NULL},
        {TUPLE "deny tcp 25,587" ANYBODY TUPLE "allow tcp 25" ANYBODY, REPORT_ERROR,
            "user.rules:1 refuses it"},
        {TUPLE "route:allow tcp 25" ANYBODY, REPORT_ERROR, NULL},
        {"*filter\n" TUPLE "\n" TUPLE "x\n### tuple", REPORT_ERROR, NULL},
    };
    (void)state;
    host_fixture_write(&fixture, UFW_ON, "# ufw\nENABLED=yes\n");
    host_fixture_write(&fixture, "/etc/default/ufw", "DEFAULT_INPUT_POLICY=\"DROP\"\n");
    expect_cases(UFW_RULES, cases, sizeof cases / sizeof cases[0]);
    host_fixture_write(&fixture, "/etc/default/ufw", "DEFAULT_INPUT_POLICY=\"ACCEPT\"\n");
    expect(CHECK_fw_rules, REPORT_GOOD, NULL);
}

static void test_nftables(void **state)
{
    static const struct firewall_case cases[] = {
        {NFT_CHAIN NFT_END, REPORT_GOOD, "nftables lets"},
        {NFT_CHAIN NFT_USUAL NFT_END, REPORT_ERROR, "tcp dport 25 accept"},
        {NFT_CHAIN NFT_USUAL "  tcp dport { 22, 80, 443 } accept # 25\n" NFT_END, REPORT_ERROR,
            "drops what it does not accept"},
        {NFT_CHAIN NFT_USUAL "  tcp dport { 22, 25, 443 } accept\n" NFT_END, REPORT_GOOD, NULL},
        {NFT_CHAIN NFT_USUAL
            "  tcp dport {\n   ssh, # in\n   smtp\n  } ct state new accept\n" NFT_END,
            REPORT_GOOD, NULL},
        {NFT_CHAIN NFT_USUAL "  meta l4proto tcp th dport 20-30 accept\n" NFT_END, REPORT_GOOD,
            NULL},
        {NFT_CHAIN NFT_USUAL "  ip saddr 192.0.2.0/24 tcp dport 25 accept\n" NFT_END, REPORT_ERROR,
            NULL},
        {NFT_CHAIN "\n  tcp dport 25 drop\n" NFT_END, REPORT_ERROR, "refuses it"},
        {NFT_CHAIN "\n  tcp dport 22 accept\n  reject with icmpx type port-unreachable\n" NFT_END,
            REPORT_ERROR, NULL},
        {NFT_CHAIN NFT_USUAL "  tcp dport @mail accept\n" NFT_END, REPORT_NOTE, "cannot be told"},
        {NFT_CHAIN NFT_USUAL "  jump ours\n" NFT_END, REPORT_NOTE, NULL},
        {"include \"/etc/nftables.d/*.nft\"\n" NFT_CHAIN NFT_USUAL NFT_END, REPORT_NOTE, NULL},
        {"table inet f { chain input { type filter hook input priority 0; policy drop; "
         "tcp dport 25 accept; } }\n",
            REPORT_GOOD, NULL},
        {"table ip6 f {\n chain input {\n type filter hook input priority 0; policy drop;\n }\n}\n",
            REPORT_GOOD, NULL},
    };
    (void)state;
    enable("nftables.service", "sysinit.target");
    expect_cases(NFT, cases, sizeof cases / sizeof cases[0]);
}

/* Removed with its rules left behind, or loaded by a script of the admin's: nobody knows. */
static void test_iptables_that_nothing_loads(void **state)
{
    (void)state;
    host_fixture_write(&fixture, IPTABLES, FILTER_DROP COMMIT);
    expect(CHECK_fw_rules, REPORT_NOTE, "Whether iptables lets TCP port 25 in");
    host_fixture_expect_below(&fixture, REPORT_WARNING);
}

static void test_iptables(void **state)
{
    static const struct firewall_case cases[] = {
        {"*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n", REPORT_GOOD, "iptables lets"},
        {FILTER_DROP COMMIT, REPORT_ERROR, "iptables -I INPUT"},
        {FILTER_DROP "-A INPUT -p tcp -m tcp --dport 25 -j ACCEPT\n" COMMIT, REPORT_GOOD, NULL},
        {FILTER_DROP "-A INPUT -p tcp --syn --dport 25 -j ACCEPT\n" COMMIT, REPORT_GOOD, NULL},
        {FILTER_DROP
            "-A INPUT -p tcp -m multiport --dports 80,20:30 -m comment --comment \"a b\" -j "
            "ACCEPT\n" COMMIT,
            REPORT_GOOD, NULL},
        {FILTER_DROP "-A INPUT -i eth0 -p tcp --dport 25 -j ACCEPT\n" COMMIT, REPORT_GOOD, NULL},
        {FILTER_DROP "-A INPUT -s 192.0.2.0/24 -p tcp --dport 25 -j ACCEPT\n" COMMIT, REPORT_ERROR,
            NULL},
        {FILTER_DROP "-A INPUT -p udp --dport 25 -j ACCEPT\n" COMMIT, REPORT_ERROR, NULL},
        {FILTER_DROP "-A INPUT -p tcp -m multiport --dports 25 -j f2b-postfix\n" COMMIT,
            REPORT_ERROR, NULL},
        {FILTER_DROP "-A INPUT -j OURS\n-A OURS -s 10.0.0.0/8 -j ACCEPT\n" COMMIT, REPORT_NOTE,
            NULL},
        {FILTER_DROP "-A INPUT -j OURS\n-A OURS -p tcp --dport 25 -j ACCEPT\n" COMMIT, REPORT_GOOD,
            NULL},
        {"*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp --dport 22 -j ACCEPT\n"
         "-A INPUT -j REJECT --reject-with icmp-host-prohibited\nCOMMIT\n",
            REPORT_ERROR, "rules.v4:4 refuses it"},
        {"*nat\n:INPUT DROP [0:0]\nCOMMIT\n*filter\n:INPUT ACCEPT [0:0]\n", REPORT_GOOD, NULL},
    };
    (void)state;
    enable("netfilter-persistent.service", "multi-user.target");
    expect_cases(IPTABLES, cases, sizeof cases / sizeof cases[0]);
}

static void test_firewalld(void **state)
{
    static const struct firewall_case cases[] = {
        {"<zone><short>Public</short><service name=\"ssh\"/></zone>", REPORT_ERROR,
            "firewall-cmd --permanent --add-port=25/tcp"},
        {"<zone>\n<service name=\"smtp\"/>\n</zone>", REPORT_GOOD, NULL},
        {"<zone><service name=\"smtp-submission\"/></zone>", REPORT_ERROR, NULL},
        {"<zone><port protocol=\"tcp\" port=\"20-30\"/></zone>", REPORT_GOOD, NULL},
        {"<zone><port port=\"25\" protocol=\"udp\"/></zone>", REPORT_ERROR, NULL},
        {"<zone target=\"ACCEPT\"></zone>", REPORT_GOOD, NULL},
        {"<zone", REPORT_ERROR, NULL},
    };
    (void)state;
    enable("firewalld.service", "multi-user.target");
    expect(CHECK_fw_rules, REPORT_NOTE, "cannot be told");
    host_fixture_write(&fixture, "/etc/firewalld/firewalld.conf", "DefaultZone=work\n");
    expect_cases("/usr/lib/firewalld/zones/work.xml", cases, sizeof cases / sizeof cases[0]);
    host_fixture_write(&fixture, "/etc/firewalld/zones/dmz.xml",
        "<zone><interface name=\"eth0\"/><service name=\"smtp\"/></zone>");
    expect(CHECK_fw_rules, REPORT_GOOD, NULL);
}

/* Users may come from inside only, so their ports weigh less. */
static void test_submission(void **state)
{
    (void)state;
    mail_host_master(&fixture, "smtp inet n - y - - smtpd\nsubmission inet n - y - - smtpd\n");
    host_fixture_write(&fixture, UFW_ON, "ENABLED=yes\n");
    host_fixture_write(&fixture, UFW_RULES, TUPLE "allow tcp 25" ANYBODY);
    expect(CHECK_fw_rules, REPORT_WARNING, "587");
    host_fixture_expect(&fixture, CHECK_fw_rules, REPORT_GOOD, "25");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ufw, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nftables, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_iptables, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_iptables_that_nothing_loads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_firewalld, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_submission, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
