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

/* A main.cf, and the value of its parameter x. */
struct expand_case {
    const char *main;
    const char *value;
};

/* Compared with postconf -x of Postfix 3.7, but for what Postfix refuses to start with. */
static const struct expand_case cases[] = {
    {"", ""},
    {"x = a b\n", "a b"},
    {"x=a\nx = b\n", "b"},
    {"a = 1\nx = $a ${a} $(a) $a$a-$a.b\n", "1 1 1 11-1.b"},
    {"a = 1\nx = ${ a } [$nothing] $$a $$$a\n", "1 [] $a $1"},
    {"x = $a\na = $b\nb = deep\n", "deep"},
    {"x = ${a?yes}${a:no}${b?yes}${b:no}\nb = 1\n", "noyes"},
    {"x = ${a?{yes}:{no}} ${b?{yes}:{no}} ${b?{ yes } : { no }}\nb=1\n", "no yes yes"},
    {"x = ${a?{yes}}|${b?{in $b}}|${a:{else $b}}\nb = 1\n", "|in 1|else 1"},
    {"x = ${a:${b?{${c:deep}}}}\nb = 1\n", "deep"},
    {"x = ${stress?{10}:{300}}s\n", "300s"},
    {"stress = yes\nx = ${stress?{10}:{300}}s\n", "10s"},
    {"x = ${{a} == {a} ? {yes} : {no}}\n", "yes"},
    {"x = ${{a} == {b} ? {yes} : {no}}\n", "no"},
    {"x = ${{a} != {b} ? {yes}}\n", "yes"},
    {"x = ${{a} == {b} : {no}}\n", "no"},
    {"x = ${{a} == {a}}\n", "true"},
    {"x = ${{a} == {b}}\n", ""},
    {"x = ${{9} < {10} ? {number} : {text}}\n", "number"},
    {"x = ${{9a} < {10a} ? {number} : {text}}\n", "text"},
    {"x = ${{$a} <= {$b} ? {in $a} : {out $b}}\na = 2\nb = 2\n", "in 2"},
    {"x = ${{2} >= {3} ? {yes} : {no}}${{4} > {3} ? {yes} : {no}}\n", "noyes"},
    {"x = ${{${{1} < {2} ? {a} : {b}}} == {a} ? {yes} : {no}}\n", "yes"},
    {"x = ${{3.10} <level {3.6} ? {yes} : {no}}\n", "no"},
    {"x = ${{$compatibility_level} <level {3.6} ? {old} : {new}}\n", "old"},
    {"compatibility_level=3.6\nx = ${{$compatibility_level} <level {3.6} ? {old} : {new}}\n",
        "new"},
    {"x = $myhostname $mydomain\n", "mail.example.com example.com"},
    {"myhostname = mx.example.net\nx = $mydomain\n", "example.net"},
    {"myhostname = mx.$mydomain\nx = $myhostname\n", "mx.localdomain"},
    {"mydomain = example.org\nmyhostname = mx.$mydomain\nx = $myhostname\n", "mx.example.org"},
    {"myhostname = single\nx = $mydomain\n", "localdomain"},
    {"x = $config_directory\n", "/etc/postfix"},
    /* What Postfix takes for fatal. */
    {"x = $x\n", ""},
    {"x = a$b\nb = $a\na = ($x)\n", "a(a)"},
    {"x = a${b\nb = 1\n", "a"},
    {"x = a$(b\nb = 1\n", "a"},
    {"x = a$\n", "a$"},
    {"x = a$-b\n", "a-b"},
    {"x = ${{a} = {b}}z\n", "z"},
    {"x = ${{a}z\n", ""},
    {"x = ${{a} == b}z\n", "z"},
    {"x = ${}${?a}${:b}\n", "b"},
    {"x = ${?\n", ""},
};

static struct postfix_instance *instance_make(const char *text)
{
    static char directory[] = "/etc/postfix";
    static char host_name[] = "mail.example.com";
    struct postfix_instance *instance = calloc(1, sizeof *instance);
    assert_non_null(instance);
    instance->config_directory = directory;
    instance->host_name = host_name;
    instance->main_bytes = strdup(text);
    assert_non_null(instance->main_bytes);
    postfix_main_parse(instance, strlen(text));
    return instance;
}

static void instance_drop(struct postfix_instance *instance)
{
    free(instance->parameters);
    free(instance->main_bytes);
    free(instance);
}

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char value[256];
        struct postfix_instance *instance = instance_make(cases[i].main);
        size_t len = postfix_value(instance, NULL, "x", value, sizeof value);
        if (strcmp(value, cases[i].value) != 0) {
            print_message("%s", cases[i].main);
        }
        assert_string_equal(value, cases[i].value);
        assert_int_equal(len, strlen(value));
        instance_drop(instance);
    }
}

/* Each level doubles the next: 2^40 pieces if nothing stopped it. */
static void test_doubling_ends(void **state)
{
    (void)state;
    char text[4096] = "x = $a0\na40 = boom\n";
    for (int i = 0; i < 40; i++) {
        size_t len = strlen(text);
        (void)snprintf(text + len, sizeof text - len, "a%d = $a%d$a%d\n", i, i + 1, i + 1);
    }
    static char value[POSTFIX_VALUE_MAX];
    struct postfix_instance *instance = instance_make(text);
    assert_true(postfix_value(instance, NULL, "x", value, sizeof value) < sizeof value);
    instance_drop(instance);
}

static void test_long_value_is_cut(void **state)
{
    (void)state;
    static char text[200000] = "x = ${{$y} == {$y} ? {$y} : {}}\ny = ";
    memset(text + strlen(text), 'y', sizeof text - strlen(text) - 1);
    static char value[2 * POSTFIX_VALUE_MAX];
    struct postfix_instance *instance = instance_make(text);
    assert_int_equal(
        postfix_value(instance, NULL, "y", value, sizeof value), POSTFIX_VALUE_MAX - 1);
    assert_int_equal(postfix_value(instance, NULL, "y", value, 10), 9);
    (void)postfix_value(instance, NULL, "x", value, sizeof value);
    instance_drop(instance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_doubling_ends),
        cmocka_unit_test(test_long_value_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
