/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/resolver/fixture.h"

#include "base/hash.h"
#include "wire/message.h"
#include "resolver/delegation.h"

#define RECORDS_MAX 160

/* A record as the tests write it; the data is a name, or the text of an address. */
struct line {
    unsigned section;
    const char *owner;
    uint16_t type;
    uint32_t ttl;
    const char *data;
};

struct scene {
    uint8_t bytes[16384];
    struct writer writer;
    uint16_t counts[4];
    struct message message;
};

static void scene_begin(struct scene *scene)
{
    uint8_t query[512];
    size_t len = query_of("a.1.list.example", TYPE_A, query);
    *scene = (struct scene){.counts = {1}};
    scene->writer = writer_of(scene->bytes, sizeof scene->bytes);
    writer_bytes(&scene->writer, query, len);
}

static void name_put(struct writer *writer, const char *text)
{
    uint8_t name[NAME_SIZE_MAX];
    size_t len;
    assert_true(name_from_text(text, strlen(text), name, &len));
    writer_bytes(writer, name, len);
}

static void scene_add(struct scene *scene, const struct line *line)
{
    uint8_t data[300];
    struct writer writer = writer_of(data, sizeof data);
    struct address address;
    if (line->type == TYPE_A || line->type == TYPE_AAAA) {
        assert_true(address_parse(line->data, strlen(line->data), 0, &address));
        writer_bytes(&writer, address.bytes, address.family == ADDRESS_IPV4 ? 4 : 16);
    } else {
        name_put(&writer, line->data);
    }
    name_put(&scene->writer, line->owner);
    writer_u16(&scene->writer, line->type);
    writer_u16(&scene->writer, CLASS_IN);
    writer_u32(&scene->writer, line->ttl);
    writer_u16(&scene->writer, (uint16_t)writer.len);
    writer_bytes(&scene->writer, data, writer.len);
    scene->counts[line->section]++;
}

static const struct message *scene_end(struct scene *scene)
{
    header_set_flags(scene->bytes, HEADER_QR);
    header_set_counts(scene->bytes, scene->counts);
    assert_false(scene->writer.is_cut);
    assert_int_equal(message_read(scene->bytes, scene->writer.len, &scene->message), MESSAGE_GOOD);
    return &scene->message;
}

static struct delegation_name name_at(const char *text)
{
    struct delegation_name name = {.len = 0};
    name.len = (uint8_t)name_of(text, name.bytes);
    return name;
}

static const struct hash_key secret = {1, 2};

static bool refer(
    struct scene *scene, const char *asked, const char *zone, struct delegation *delegation)
{
    struct delegation_name asked_name = name_at(asked);
    struct delegation_name zone_name = name_at(zone);
    const struct delegation_case judged = {
        .asked = &asked_name, .zone = &zone_name, .secret = &secret};
    return delegation_read_referral(scene_end(scene), &judged, delegation);
}

static void test_referral(void **state)
{
    static const struct line lines[] = {
        {2, "1.List.example", TYPE_NS, 600, "NS1.1.list.example"},
        {2, "1.list.example", TYPE_NS, 300, "ns2.elsewhere.test"},
        {2, "1.list.example", TYPE_NS, 900, "ns1.1.list.example"},
        {3, "ns1.1.list.example", TYPE_A, 60, "192.0.2.1"},
        {3, "ns1.1.LIST.example", TYPE_AAAA, 60, "2001:db8::1"},
        {3, "ns2.elsewhere.test", TYPE_A, 60, "192.0.2.2"},
        {3, "other.list.example", TYPE_A, 60, "192.0.2.3"},
    };
    static struct scene scene;
    struct delegation delegation;
    (void)state;
    scene_begin(&scene);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        scene_add(&scene, &lines[i]);
    }
    assert_true(refer(&scene, "a.1.list.example", "list.example", &delegation));
    struct delegation_name cut = name_at("1.list.example");
    assert_true(delegation_name_equal(&delegation.cut, &cut));
    assert_int_equal(delegation.ttl, 300);
    assert_int_equal(delegation.name_count, 2);
    /* Hearsay and strangers' addresses are left out. */
    assert_int_equal(delegation.address_count, 2);
    assert_int_equal(delegation.addresses[0].bytes[3], 1);
    assert_int_equal(delegation.addresses[0].port, 53);
    assert_int_equal(delegation.addresses[1].family, ADDRESS_IPV6);
}

/* A referral leads down, toward the asked name, out of the zone that was asked. */
static void test_not_to_follow(void **state)
{
    static const struct {
        const char *asked;
        const char *zone;
        const char *owner;
    } cases[] = {
        {"a.1.list.example", "list.example", "list.example"},
        {"a.1.list.example", "list.example", "example"},
        {"a.1.list.example", "list.example", "."},
        {"a.1.list.example", "list.example", "2.list.example"},
        {"a.1.list.example", "list.example", "b.a.1.list.example"},
        {"a.1.list.example", "1.list.example", "1.list.example"},
        {"a.1.list.example", "other.example", "1.list.example"},
    };
    static struct scene scene;
    struct delegation delegation;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct line line = {2, cases[i].owner, TYPE_NS, 60, "ns.example"};
        scene_begin(&scene);
        scene_add(&scene, &line);
        assert_false(refer(&scene, cases[i].asked, cases[i].zone, &delegation));
    }
    scene_begin(&scene);
    assert_false(refer(&scene, "a.1.list.example", "list.example", &delegation));
    /* An answer is no referral, whatever stands behind it. */
    const struct line answer = {1, "a.1.list.example", TYPE_A, 60, "127.0.0.2"};
    const struct line ns = {2, "1.list.example", TYPE_NS, 60, "ns.example"};
    scene_begin(&scene);
    scene_add(&scene, &answer);
    scene_add(&scene, &ns);
    assert_false(refer(&scene, "a.1.list.example", "list.example", &delegation));
}

/* Names without number: four are chosen, always the same ones. */
/* A record's data is a name to its last byte: neither cut nor with anything behind. */
static void test_wrong_data(void **state)
{
    static const uint8_t data[16] = "\2ns\7example";
    static const struct {
        uint16_t len;
        bool is_name;
    } cases[] = {{12, true}, {13, false}, {11, false}, {16, false}, {0, false}};
    static struct scene scene;
    struct delegation delegation;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        scene_begin(&scene);
        name_put(&scene.writer, "1.list.example");
        writer_u16(&scene.writer, TYPE_NS);
        writer_u16(&scene.writer, CLASS_IN);
        writer_u32(&scene.writer, 60);
        writer_u16(&scene.writer, cases[i].len);
        writer_bytes(&scene.writer, data, cases[i].len);
        scene.counts[2]++;
        assert_int_equal(
            refer(&scene, "a.1.list.example", "list.example", &delegation), cases[i].is_name);
    }
}

static void test_many_names(void **state)
{
    static struct scene scene;
    struct delegation first;
    struct delegation second;
    (void)state;
    for (unsigned round = 0; round < 2; round++) {
        scene_begin(&scene);
        for (unsigned i = 0; i < RECORDS_MAX; i++) {
            char data[40];
            unsigned number = round == 0 ? i : (i < 16 ? 15 - i : i);
            snprintf(data, sizeof data, "n%u.victim.test", number);
            const struct line line = {2, "1.list.example", TYPE_NS, 60, data};
            scene_add(&scene, &line);
        }
        assert_true(
            refer(&scene, "a.1.list.example", "list.example", round == 0 ? &first : &second));
    }
    assert_int_equal(first.name_count, DELEGATION_NAMES_MAX);
    assert_true(first.records <= DELEGATION_RECORDS_MAX);
    for (size_t i = 0; i < DELEGATION_NAMES_MAX; i++) {
        size_t found = 0;
        for (size_t j = 0; j < DELEGATION_NAMES_MAX; j++) {
            found += delegation_name_equal(&first.names[i], &second.names[j]) ? 1 : 0;
        }
        assert_int_equal(found, 1);
    }
}

static void test_much_glue(void **state)
{
    static struct scene scene;
    struct delegation delegation;
    const struct line ns = {2, "1.list.example", TYPE_NS, 60, "ns.list.example"};
    (void)state;
    scene_begin(&scene);
    scene_add(&scene, &ns);
    for (unsigned i = 0; i < 40; i++) {
        const struct line glue = {3, "ns.list.example", TYPE_A, 60, "192.0.2.1"};
        scene_add(&scene, &glue);
    }
    assert_true(refer(&scene, "a.1.list.example", "list.example", &delegation));
    assert_int_equal(delegation.address_count, DELEGATION_ADDRESSES_MAX);
}

static void test_answer(void **state)
{
    static const struct line lines[] = {
        {1, "list.example", TYPE_NS, 600, "ns1.example"},
        {1, "other.example", TYPE_NS, 600, "ns9.example"},
        {1, "list.example", TYPE_NS, 500, "ns2.example"},
        {2, "list.example", TYPE_NS, 100, "ns3.example"},
    };
    static struct scene scene;
    struct delegation delegation;
    struct delegation_name asked = name_at("list.example");
    struct delegation_name other = name_at("nothing.example");
    struct delegation_case judged = {.asked = &asked, .secret = &secret};
    (void)state;
    scene_begin(&scene);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        scene_add(&scene, &lines[i]);
    }
    assert_true(delegation_read_answer(scene_end(&scene), &judged, &delegation));
    assert_int_equal(delegation.name_count, 2);
    assert_int_equal(delegation.ttl, 500);
    judged.asked = &other;
    assert_false(delegation_read_answer(&scene.message, &judged, &delegation));
}

static void test_zone(void **state)
{
    static struct scene scene;
    struct delegation_name asked = name_at("zen.list.example");
    struct delegation_name stranger = name_at("zen.other.example");
    struct delegation_name zone;
    /* Only the owner of the SOA is looked at. */
    const struct line soa = {2, "list.example", TYPE_SOA, 60, "ns.example"};
    (void)state;
    scene_begin(&scene);
    assert_false(delegation_read_zone(scene_end(&scene), &asked, &zone));
    scene_begin(&scene);
    scene_add(&scene, &soa);
    assert_true(delegation_read_zone(scene_end(&scene), &asked, &zone));
    struct delegation_name expected = name_at("list.example");
    assert_true(delegation_name_equal(&zone, &expected));
    assert_false(delegation_read_zone(&scene.message, &stranger, &zone));
}

static void test_addresses(void **state)
{
    static const struct line lines[] = {
        {1, "alias.example", TYPE_CNAME, 600, "ns.example"},
        {1, "ns.example", TYPE_A, 300, "192.0.2.1"},
        {1, "ns.example", TYPE_A, 200, "192.0.2.2"},
        {1, "ns.example", TYPE_A, 100, "192.0.2.3"},
        {1, "ns.example", TYPE_AAAA, 100, "2001:db8::1"},
    };
    static struct scene scene;
    struct address addresses[2];
    uint32_t ttl = 1000;
    (void)state;
    scene_begin(&scene);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        scene_add(&scene, &lines[i]);
    }
    const struct message *message = scene_end(&scene);
    assert_int_equal(delegation_read_addresses(message, TYPE_A, &ttl, addresses, 2), 2);
    assert_int_equal(addresses[1].bytes[3], 2);
    assert_int_equal(ttl, 200);
    assert_int_equal(delegation_read_addresses(message, TYPE_AAAA, &ttl, addresses, 2), 1);
    assert_int_equal(addresses[0].family, ADDRESS_IPV6);
    assert_int_equal(ttl, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_referral),
        cmocka_unit_test(test_not_to_follow),
        cmocka_unit_test(test_wrong_data),
        cmocka_unit_test(test_many_names),
        cmocka_unit_test(test_much_glue),
        cmocka_unit_test(test_answer),
        cmocka_unit_test(test_zone),
        cmocka_unit_test(test_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
