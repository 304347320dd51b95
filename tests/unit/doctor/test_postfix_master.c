/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "doctor/postfix_config.h"
#include "doctor/postfix_private.h"

/* A master.cf, and its services in words. */
struct master_case {
    const char *text;
    unsigned level_major;
    const char *services;
    unsigned bad_line;
};

static const struct master_case cases[] = {
    {"", 3, "", 0},
    {"# smtp inet n - y - - smtpd\n\n   # indented\n", 3, "", 0},
    {"smtp inet n - y - - smtpd\n", 3, "1:smtp/inet/smtpd public chroot 100;", 0},
    {"smtp\tinet\tn\t-\tn\t-\t-\tsmtpd\r\n", 3, "1:smtp/inet/smtpd public 100;", 0},
    {"smtp inet n - - - 0 smtpd", 0, "1:smtp/inet/smtpd public chroot 0;", 0},
    {"smtp inet n - - - 0 smtpd", 1, "1:smtp/inet/smtpd public 0;", 0},
    {"\n#\nscache unix - - y - 1 scache\n", 3, "3:scache/unix/scache chroot 1;", 0},
    {"flush unix n - y 1000? 0 flush\n", 3, "1:flush/unix/flush public chroot 0;", 0},
    /* Options. */
    {"a inet n - n - 1 smtpd\n  -o x=1\n -o y=2,3\n", 3, "1:a/inet/smtpd public 1 x=[1] y=[2,3];",
        0},
    {"a inet n - n - 1 smtpd -v -o x=1\n# between\n\n\t-o { y = 2 3 }\n -vv -oz=\n", 3,
        "1:a/inet/smtpd public 1 x=[1] y=[2 3] z=[];", 0},
    {"a inet n - n - 1 smtpd -o {y={ 2 }}\n", 3, "1:a/inet/smtpd public 1 y=[{ 2 }];", 0},
    {"a inet n - n - 1 smtpd\n#  -o x=1\n  -o y=2\nb unix - - n - 1 smtp\n", 3,
        "1:a/inet/smtpd public 1 y=[2];4:b/unix/smtp 1;", 0},
    {"p unix - n n - 1 pipe\n  flags=Rq user=x argv=/bin/x -o y=1 ${recipient}\n", 3,
        "1:p/unix/pipe 1;", 0},
    {"a inet n - n - 1 smtpd -o\n", 3, "1:a/inet/smtpd public 1;", 0},
    {"a inet n - n - 1 smtpd -o nothing\n", 3, "1:a/inet/smtpd public 1;", 1},
    {"a inet n - n - 1 smtpd -o { x = 1\n", 3, "1:a/inet/smtpd public 1;", 1},
    {"a inet n - n - 1 smtpd -o }x=1\n", 3, "1:a/inet/smtpd public 1 }x=[1];", 0},
    /* What is no service. */
    {"a inet n - n - 1\nb unix - - n - 1 smtp\n", 3, "2:b/unix/smtp 1;", 1},
    {"a inet no - n - 1 smtpd\n", 3, "", 1},
    {"this is a line of prose in it here\n", 3, "", 1},
    {"  smtp inet n - y - - smtpd\n", 3, "1:smtp/inet/smtpd public chroot 100;", 0},
};

static void describe(const struct postfix_instance *instance, char *out, size_t size)
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < instance->service_count; i++) {
        const struct postfix_service *service = &instance->services[i];
        len += (size_t)snprintf(out + len, size - len, "%u:%s/%s/%s%s%s %u", service->line,
            service->name, service->type, service->command, service->is_private ? "" : " public",
            service->is_chrooted ? " chroot" : "", service->maxproc);
        for (size_t j = 0; j < service->option_count; j++) {
            len += (size_t)snprintf(out + len, size - len, " %s=[%s]", service->options[j].name,
                service->options[j].value);
        }
        len += (size_t)snprintf(out + len, size - len, ";");
    }
}

static void instance_parse(struct postfix_instance *instance, const char *text, unsigned major)
{
    *instance = (struct postfix_instance){.compatibility_level = POSTFIX_LEVEL(major, 0)};
    instance->master_bytes = strdup(text);
    assert_non_null(instance->master_bytes);
    postfix_master_parse(instance, strlen(text));
}

static void instance_drop(struct postfix_instance *instance)
{
    free(instance->services);
    free(instance->master_bytes);
}

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct postfix_instance instance;
        char said[512];
        instance_parse(&instance, cases[i].text, cases[i].level_major);
        describe(&instance, said, sizeof said);
        if (strcmp(said, cases[i].services) != 0) {
            print_message("%s", cases[i].text);
        }
        assert_string_equal(said, cases[i].services);
        assert_int_equal(instance.master_bad_line, cases[i].bad_line);
        instance_drop(&instance);
    }
}

static void test_limits(void **state)
{
    (void)state;
    static char text[200000];
    struct postfix_instance instance;
    size_t len = 0;
    for (int i = 0; i < POSTFIX_SERVICES_MAX + 1; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len, "s%d unix - - n - 1 smtp\n", i);
    }
    instance_parse(&instance, text, 3);
    assert_int_equal(instance.service_count, POSTFIX_SERVICES_MAX);
    assert_true(instance.is_cut);
    instance_drop(&instance);

    len = (size_t)snprintf(text, sizeof text, "s unix - - n - 1 smtp\n");
    for (int i = 0; i < POSTFIX_OPTIONS_MAX + 1; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len, " -o o%d=1\n", i);
    }
    instance_parse(&instance, text, 3);
    assert_int_equal(instance.services[0].option_count, POSTFIX_OPTIONS_MAX);
    assert_true(instance.is_cut);
    instance_drop(&instance);
}

/* An option of the service comes before main.cf, and speaks in expansions, too. */
static void test_options_override(void **state)
{
    (void)state;
    static char directory[] = "/etc/postfix";
    struct postfix_instance instance;
    char value[64];
    instance_parse(&instance,
        "a inet n - n - 1 smtpd -o smtpd_timeout=7m -o stress=yes\n"
        " -o x=$service_name/$process_name -o x=$service_name+$smtpd_timeout\n",
        3);
    instance.config_directory = directory;
    const struct postfix_service *service = postfix_service_find(&instance, "smtpd", "inet");
    assert_non_null(service);
    assert_null(postfix_service_find(&instance, "smtpd", "pass"));
    assert_ptr_equal(postfix_service_find(&instance, "smtpd", NULL), service);
    assert_int_equal(postfix_time(&instance, service, "smtpd_timeout", 's'), 420);
    assert_int_equal(postfix_time(&instance, NULL, "smtpd_timeout", 's'), 300);
    assert_int_equal(postfix_time(&instance, service, "smtpd_starttls_timeout", 's'), 10);
    (void)postfix_value(&instance, service, "x", value, sizeof value);
    assert_string_equal(value, "a+7m");
    instance_drop(&instance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_options_override),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
