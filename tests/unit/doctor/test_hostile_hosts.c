/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/doctor/hostile_host.h"

/* The configuration, the queue and the log have anything in them. */

/* One sentence of the whole report. */
static bool is_told(const struct report *report, const char *part)
{
    for (size_t i = 0; i < report->count; i++) {
        if (strstr(report->entries[i].seen, part) != NULL) {
            return true;
        }
    }
    return false;
}

/* All of them at once, and what was hidden can be read. */
static void test_escapes_are_shown(void **state)
{
    (void)state;
    rich_host_init();
    host_fixture_write(&fixture, "/etc/resolv.conf", "search " ESCAPES "\nnameserver 127.0.0.1\n");
    mail_host_main_add(&fixture,
        "smtpd_client_restrictions = reject_rbl_client bl" ESCAPES
        ".example.org\nrelayhost = [" ESCAPES "]\nqueue_directory = /" ESCAPES "\n");
    host_fixture_write(&fixture, "/proc/812/comm", ESCAPES "\n");
    assert_true(is_told(run("escapes everywhere"), "\\x1b]0;owned\\x07"));
    host_fixture_fini(&fixture);
}

/* Main.cf with a text of the test's own. */
static void run_main_cf(const char *what, const char *bytes, size_t len)
{
    mail_host_init(&fixture);
    host_fixture_write_bytes(&fixture, "/etc/postfix/main.cf", bytes, len);
    (void)run(what);
    host_fixture_write_bytes(&fixture, "/etc/postfix/master.cf", bytes, len);
    (void)run(what);
    host_fixture_fini(&fixture);
}

static void test_main_cf_of_long_lines(void **state)
{
    static const char *const names[] = {"mynetworks", "smtpd_recipient_restrictions",
        "multi_instance_directories", "postscreen_dnsbl_sites", "relayhost", "mydestination"};
    (void)state;
    struct text text;
    const size_t size = 7 * NOISE_SIZE;
    char *bytes = malloc(size);
    assert_non_null(bytes);
    text_init(&text, bytes, size);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t end = (i + 1) * NOISE_SIZE;
        text_addf(&text, "%s =", names[i]);
        while (text.len < end) {
            text_add(&text, " $myhostname /a/b reject_rbl_client {x");
        }
        text_add(&text, "\n");
    }
    run_main_cf("long lines", bytes, text.len);
    free(bytes);
}

static void test_main_cf_of_loops(void **state)
{
    static const char loops[] =
        "myhostname = $mydomain.$myhostname\nmydomain = ${myhostname}$mydomain\n"
        "mynetworks = $relay_domains $relay_domains\nrelay_domains = $mynetworks $mydestination\n"
        "mydestination = ${mynetworks?${mydestination}:$relay_domains}\n"
        "queue_directory = $queue_directory/$config_directory\n"
        "inet_interfaces = ${inet_interfaces}\nrelayhost = ${{$relayhost} == {$x} ? {a} : {$y}}\n"
        "x = $y$y$y$y$y$y$y$y\ny = $z$z$z$z$z$z$z$z\nz = $w$w$w$w$w$w$w$w\n"
        "w = $x$v$v$v$v$v$v$v$v\nv = $u$u$u$u$u$u$u$u\nu = 12345678\n"
        "smtpd_recipient_restrictions = $x $v\npostscreen_dnsbl_sites = $w\n"
        "smtpd_restriction_classes = smtpd_restriction_classes $smtpd_restriction_classes\n"
        "compatibility_level = $compatibility_level\nmaillog_file = $maillog_file\n";
    (void)state;
    run_main_cf("loops", loops, sizeof loops - 1);
}

/* Of ${a?${a?..., closed and not. */
static void test_main_cf_of_depth(void **state)
{
    static const char *const opening[] = {"${a?", "${", "{", "${{", "$("};
    (void)state;
    const size_t depth = 100000;
    const size_t size = depth * 8;
    char *bytes = malloc(size);
    assert_non_null(bytes);
    for (size_t i = 0; i < 2 * (sizeof opening / sizeof opening[0]); i++) {
        struct text text;
        text_init(&text, bytes, size);
        text_add(&text, "a = b\nmynetworks = ");
        for (size_t level = 0; level < depth; level++) {
            text_add(&text, opening[i / 2]);
        }
        for (size_t level = 0; level < depth && i % 2 == 1; level++) {
            text_add(&text, "}");
        }
        text_add(&text, "\nrelayhost = $mynetworks\n");
        run_main_cf("depth", bytes, text.len);
    }
    free(bytes);
}

static void test_main_cf_of_many_parameters(void **state)
{
    (void)state;
    struct text text;
    const size_t size = NOISE_SIZE * 5;
    char *bytes = malloc(size);
    assert_non_null(bytes);
    text_init(&text, bytes, size);
    for (unsigned i = 0; i < 100000; i++) {
        text_addf(&text, "smtpd_%u_restrictions = $smtpd_%u_restrictions\n", i, i + 1);
    }
    run_main_cf("100,000 parameters", bytes, text.len);
    text_init(&text, bytes, size);
    for (unsigned i = 0; i < 100000; i++) {
        text_addf(&text, "s%u inet n - y - - smtpd -o a=$b\n", i);
    }
    run_main_cf("100,000 services", bytes, text.len);
    free(bytes);
}

static void test_main_cf_of_anything(void **state)
{
    static const char nuls[] =
        "myhostname = a\0b\n\0\0\0=\0\n relayhost\0 = [\0]\n=\n = \n==\n$\n${\n"
        "mynetworks = \xff\xfe\x80\0/33 [::/200 !/etc/passwd ../../x\n";
    (void)state;
    char *noise = malloc(NOISE_SIZE);
    assert_non_null(noise);
    noise_fill(noise, NOISE_SIZE);
    run_main_cf("NULs", nuls, sizeof nuls);
    run_main_cf("noise", noise, NOISE_SIZE);
    run_main_cf("nothing", "", 0);
    /* The same as far as possible in the alphabet of main.cf. */
    static const char letters[] = "$${{}}?:=a \n#smtpd_restrictions,[]/0.";
    for (size_t i = 0; i < NOISE_SIZE; i++) {
        noise[i] = letters[(unsigned char)noise[i] % (sizeof letters - 1)];
    }
    run_main_cf("letters", noise, NOISE_SIZE);
    free(noise);
}

static void test_instances_that_are_none(void **state)
{
    (void)state;
    mail_host_init(&fixture);
    mail_host_main_add(&fixture,
        "multi_instance_enable = yes\nmulti_instance_directories = /etc/postfix /etc/postfix/ "
        "/etc/../etc/postfix /proc /dev /proc/812 /etc/fifo /etc/loop /etc/self /etc/deep\n"
        "alternate_config_directories = /etc/self, /etc/loop, /, //, /etc/postfix/main.cf\n");
    char path[1200];
    host_fixture_path(&fixture, "/etc/fifo", path, sizeof path);
    assert_int_equal(mkfifo(path, 0644), 0);
    host_fixture_link(&fixture, "/etc/loop", "loop");
    host_fixture_link(&fixture, "/etc/self", "postfix");
    host_fixture_link(&fixture, "/etc/deep", "deep/deep/deep");
    host_fixture_link(&fixture, "/etc/postfix/dynamicmaps.cf.d", ".");
    (void)run("instances");
    host_fixture_fini(&fixture);
}

/* Files that take each other in. */
static void test_includes_that_loop(void **state)
{
    (void)state;
    rich_host_init();
    host_fixture_write(&fixture, "/etc/rspamd/local.d/options.inc",
        ".include \"/etc/rspamd/local.d/options.inc\"\n.include(try=true) \"options.inc\"\n");
    host_fixture_write(&fixture, "/etc/rspamd/local.d/rbl.conf",
        ".include \"/etc/rspamd/local.d/rbl.conf\"\nrbls { .include \"rbl.conf\"\n");
    host_fixture_write(&fixture, "/etc/nftables.conf",
        "include \"/etc/nftables.conf\"\ninclude \"/etc/*.conf\"\ntable inet f { chain input {\n"
        "type filter hook input priority 0; policy drop; jump input\n} }\n");
    host_fixture_write(&fixture, "/etc/iptables/rules.v4",
        "*filter\n:INPUT DROP [0:0]\n:A - [0:0]\n:B - [0:0]\n-A INPUT -j A\n-A A -j B\n-A B -j A\n"
        "-A A -j A\nCOMMIT\n");
    host_fixture_write(&fixture, "/etc/spamassassin/local.cf",
        "include local.cf\ninclude /etc/spamassassin/local.cf\n");
    host_fixture_write(&fixture, "/etc/dhcpcd.conf", "include /etc/dhcpcd.conf\n");
    host_fixture_write(&fixture, "/etc/unbound/unbound.conf", "include: \"/etc/unbound/*.conf\"\n");
    host_fixture_write(&fixture, "/etc/dnsmasq.conf", "conf-file=/etc/dnsmasq.conf\n");
    (void)run("includes");
    host_fixture_fini(&fixture);
}

/* A queue that lies elsewhere, and one that is full. */
static void test_queues(void **state)
{
    (void)state;
    char path[128];
    mail_host_init(&fixture);
    mail_host_main_add(&fixture, "queue_directory = /var/spool/elsewhere\n");
    host_fixture_link(&fixture, "/var/spool/elsewhere", "../../../../../../../../tmp");
    (void)run("a queue outside");
    mail_host_main_add(&fixture, "");
    host_fixture_link(&fixture, "/var/spool/postfix/deferred/0", "../../../../../../../../..");
    host_fixture_link(&fixture, "/var/spool/postfix/deferred/1", "../deferred");
    for (unsigned i = 0; i < 10000; i++) {
        (void)snprintf(
            path, sizeof path, "/var/spool/postfix/deferred/%X/%X%06X", 2 + i % 14, 2 + i % 14, i);
        host_fixture_write(&fixture, path, i % 3 == 0 ? ESCAPES : "");
    }
    assert_true(is_told(run("a full queue"), "wait"));
    host_fixture_fini(&fixture);
}

static void test_log_of_escapes(void **state)
{
    static const char *const lines[] = {
        "postfix/smtpd[1]: warning: 192.0.2.1: RBL lookup error: Host or domain name not found. "
        "Name service error for name=%s type=A: Host not found, try again",
        "postfix/smtp[1]: A1: to=<a@%s>, relay=%s[192.0.2.1]:25, delay=9, delays=1/2/3/4, "
        "dsn=4.4.3, status=deferred (Host or domain name not found. Name service error for "
        "name=%s type=MX: Host not found, try again)",
        "postfix/smtpd[1]: timeout after DATA (0 bytes) from %s[192.0.2.7]",
        "rspamd[1]: <%s>; monitored; rspamd_monitored_dns_cb: DNS reply returned 'timeout' for %s",
    };
    struct text text;
    char log[16384];
    (void)state;
    mail_host_init(&fixture);
    text_init(&text, log, sizeof log);
    for (size_t i = 0; i < 20; i++) {
        char line[1024];
        const char *at = lines[i % 4];
        struct text one;
        text_init(&one, line, sizeof line);
        for (const char *mark; (mark = strstr(at, "%s")) != NULL; at = mark + 2) {
            text_add_bytes(&one, at, (size_t)(mark - at));
            text_add(&one, ESCAPES "x.example");
        }
        text_addf(&text, "Nov 21 12:00:%02zu mail %s%s\n", i, line, at);
    }
    host_fixture_write(&fixture, "/var/log/mail.log", log);
    assert_true(is_told(run("a log of escapes"), "\\x1b]0;owned"));
    host_fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escapes_are_shown),
        cmocka_unit_test(test_main_cf_of_long_lines),
        cmocka_unit_test(test_main_cf_of_loops),
        cmocka_unit_test(test_main_cf_of_depth),
        cmocka_unit_test(test_main_cf_of_many_parameters),
        cmocka_unit_test(test_main_cf_of_anything),
        cmocka_unit_test(test_instances_that_are_none),
        cmocka_unit_test(test_includes_that_loop),
        cmocka_unit_test(test_queues),
        cmocka_unit_test(test_log_of_escapes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
