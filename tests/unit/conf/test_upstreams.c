/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "conf/schema.h"
#include "conf/settings.h"
#include "conf/upstreams.h"
#include "conf/value.h"
#include "tests/unit/conf/folder.h"

struct upstreams_case {
    const char *settings;
    const char *file;      /* NULL: missing. */
    const char *stub_list; /* NULL: missing. */
    const char *servers;   /* "": a warning. */
};

static const struct upstreams_case cases[] = {
    {"", "nameserver 192.0.2.1\nnameserver 2001:db8::1\n", NULL, "192.0.2.1 2001:db8::1"},
    {"", "nameserver 192.0.2.1\nnameserver 192.0.2.1\n", NULL, "192.0.2.1"},
    {"", "", NULL, ""},
    {"", NULL, NULL, ""},
    /* Our own addresses. */
    {"", "nameserver 127.0.0.1\nnameserver ::1\n", NULL, ""},
    {"", "nameserver 127.0.0.1\nnameserver 192.0.2.1\n", NULL, "192.0.2.1"},
    {"listen = 127.0.0.1@5300\n", "nameserver 127.0.0.1\n", NULL, "127.0.0.1"},
    {"listen = 127.0.0.2\n", "nameserver 127.0.0.1\n", NULL, "127.0.0.1"},
    {"listen = 0.0.0.0\n", "nameserver 127.0.0.9\nnameserver ::1\n", NULL, "::1"},
    {"listen = 192.0.2.9\n", "nameserver 192.0.2.9\nnameserver 192.0.2.1\n", NULL, "192.0.2.1"},
    {"", "nameserver 0.0.0.0\nnameserver ::\n", NULL, ""},
    /* The stub of systemd-resolved. */
    {"", "nameserver 127.0.0.53\n", "nameserver 192.0.2.1\nnameserver 192.0.2.2\n",
        "192.0.2.1 192.0.2.2"},
    {"", "nameserver 127.0.0.54\n", "nameserver 192.0.2.1\n", "192.0.2.1"},
    {"", "nameserver 127.0.0.1\nnameserver 127.0.0.53\n", "nameserver 192.0.2.1\n", "192.0.2.1"},
    {"", "nameserver 192.0.2.9\nnameserver 127.0.0.53\n", "nameserver 192.0.2.1\n",
        "192.0.2.9 192.0.2.1"},
    {"listen = 0.0.0.0\n", "nameserver 127.0.0.53\n", "nameserver 192.0.2.1\n", "192.0.2.1"},
    {"", "nameserver 127.0.0.53\n", NULL, "127.0.0.53"},
    {"", "nameserver 127.0.0.53\n", "# none\n", "127.0.0.53"},
    {"", "nameserver 127.0.0.53\n", "nameserver 127.0.0.1\n", ""},
    {"", "nameserver 127.0.0.53\n", "nameserver 127.0.0.53\n", ""},
    {"", "nameserver 192.0.2.1\n", "nameserver 192.0.2.2\n", "192.0.2.1"},
    /* We have taken the stub's address. */
    {"listen = 127.0.0.53\n", "nameserver 127.0.0.53\n", "nameserver 192.0.2.1\n", ""},
};

static struct settings settings;
static struct findings findings;

static void check_case(const struct upstreams_case *item)
{
    struct folder folder;
    folder_init(&folder);
    settings_parse("test.conf", item->settings, strlen(item->settings), &settings, &findings);
    memset(&findings, 0, sizeof findings);
    char stub_list[128];
    snprintf(stub_list, sizeof stub_list, "%s/stub", folder.path);
    snprintf(settings.upstreams_file, sizeof settings.upstreams_file, "%s/file", folder.path);
    if (item->file != NULL) {
        folder_add(&folder, "file", item->file);
    }
    if (item->stub_list != NULL) {
        folder_add(&folder, "stub", item->stub_list);
    }
    struct finding_place place = {.file = "test.conf", .line = 7, .column = 1};
    upstreams_fill(&settings, stub_list, &place, &findings);
    folder_fini(&folder);

    char servers[VALUE_TEXT_SIZE];
    struct text text;
    text_init(&text, servers, sizeof servers);
    value_write(schema_row(SCHEMA_ID_upstreams), &settings, &text);
    if (strcmp(servers, item->servers) != 0) {
        print_message("%s / %s\n", item->settings, item->file);
    }
    assert_string_equal(servers, item->servers);
    assert_true(settings.upstreams_from_file);
    assert_int_equal(findings.count, item->servers[0] == '\0' ? 1 : 0);
    assert_int_equal(findings.errors, 0);
    if (findings.count == 1) {
        assert_int_equal(findings.items[0].line, 7);
        assert_non_null(strstr(findings.items[0].sentence,
            item->file == NULL ? "cannot be read" : "no server but ourselves"));
    }
}

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check_case(&cases[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
