/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "conf/pin.h"
#include "conf/settings.h"

/* SHA-256 of nothing, as every tool prints it. */
static const uint8_t empty[32] = {0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4,
    0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99,
    0x1b, 0x78, 0x52, 0xb8, 0x55};

#define EMPTY "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

static void test_known_text(void **state)
{
    struct settings_pin pin;
    char text[PIN_TEXT_SIZE];
    (void)state;
    assert_true(pin_from_text(EMPTY, strlen(EMPTY), &pin));
    assert_memory_equal(pin.digest, empty, sizeof(empty));
    pin_to_text(&pin, text);
    assert_string_equal(text, EMPTY);
}

/* Every bit finds its way there and back. */
static void test_round_trip(void **state)
{
    (void)state;
    for (size_t bit = 0; bit < 256; bit++) {
        struct settings_pin pin = {.digest = {0}};
        struct settings_pin again;
        char text[PIN_TEXT_SIZE];
        pin.digest[bit / 8] = (uint8_t)(0x80u >> (bit % 8));
        pin_to_text(&pin, text);
        assert_int_equal(strlen(text), PIN_TEXT_SIZE - 1);
        assert_true(pin_from_text(text, strlen(text), &again));
        assert_memory_equal(&again, &pin, sizeof(pin));
    }
}

static void test_other_forms(void **state)
{
    static const char *const texts[] = {
        "", "sha256/", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "sha1/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=AA",
        "SHA256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",   /* No padding. */
        "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFUA",  /* 33 bytes. */
        "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=",  /* Bits behind the end. */
        "sha256/47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=",  /* Another alphabet. */
        "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSu=U=",  /* A pad within. */
        "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU==", /* One too many. */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct settings_pin pin;
        assert_false(pin_from_text(texts[i], strlen(texts[i]), &pin));
    }
    char with_nul[] = EMPTY;
    struct settings_pin pin;
    with_nul[20] = '\0';
    assert_false(pin_from_text(with_nul, sizeof(with_nul) - 1, &pin));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_text),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_other_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
