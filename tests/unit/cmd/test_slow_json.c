/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "cmd/slow_json.h"
#include "cmd/slow_view.h"
#include "tests/unit/cmd/slow_fixture.h"
#include "tests/unit/cmd/stats_fixture.h"

static struct slow_view view;
static char data[1 << 16];

static const char *render(const char *reply_text, size_t max)
{
    struct reply reply;
    struct text text;
    assert_true(reply_set(&reply, reply_text));
    assert_true(slow_view_read(&reply, max, &view));
    reply_fini(&reply);
    text_init(&text, data, sizeof data);
    slow_json_add(&text, &view);
    assert_false(text.is_cut);
    return data;
}

static void test_names(void **state)
{
    (void)state;
    view.is_failed = false;
    assert_string_equal(render("ok\n.\n", 1), "{\"order\":\"slowest\",\"questions\":[]}\n");
    view.is_failed = true;
    assert_string_equal(
        render("ok\nquestion 9 61200 5 3 MX 1 failed SERVFAIL 22 a\\034b.example.\nreason it "
               "\"broke\"\nevent 0 asked 192.0.2.1@53 udp first - 0\n"
               "event 7 all-rest - udp - - 0\n.\n",
            1),
        "{\"order\":\"failed\",\"questions\":[{\"name\":\"a\\\\034b.example.\",\"type\":\"MX\","
        "\"dnssec\":true,\"age_s\":9,\"waited_us\":61200,\"joined_us\":5,\"count\":3,"
        "\"outcome\":\"failed\",\"rcode\":\"SERVFAIL\",\"ede\":22,\"reason\":\"it "
        "\\\"broke\\\"\",\"events_left_out\":0,\"events\":[{\"at_us\":0,\"kind\":\"asked\","
        "\"server\":\"192.0.2.1@53\",\"transport\":\"udp\",\"detail\":\"first\",\"rcode\":null,"
        "\"late\":false},{\"at_us\":7,\"kind\":\"all-rest\",\"server\":null,\"transport\":null,"
        "\"detail\":null,\"rcode\":null,\"late\":false}]}]}\n");
}

static void test_more(void **state)
{
    (void)state;
    view.is_failed = false;
    const char *json = render(slow_fixture, SLOW_VIEW_MAX);
    assert_non_null(strstr(json, "\"ede\":null,\"reason\":\"\""));
    assert_non_null(strstr(json, "]},{\"name\":\"?.*.zen.dq.spamhaus.net.\""));
    assert_non_null(strstr(json, "\"rcode\":\"NXDOMAIN\",\"late\":true}"));
    assert_non_null(strstr(json, "\"events_left_out\":12,"));
    assert_non_null(strstr(json, "\"events\":[]}]}\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
