/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/pin.h"

#include <stdint.h>
#include <string.h>

#include "conf/settings.h"

#define PIN_PREFIX     "sha256/"
#define PIN_PREFIX_LEN (sizeof(PIN_PREFIX) - 1)
#define PIN_DIGITS     43 /* Six bits each, the last two of them zero; then one "=". */
#define PIN_TEXT_LEN   (PIN_PREFIX_LEN + PIN_DIGITS + 1)

_Static_assert(PIN_TEXT_LEN + 1 == PIN_TEXT_SIZE, "the text has another length");

static const char pin_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The six bits that begin at bit 6 * index of the digest; behind its end stand zeros. */
static unsigned pin_sextet(const struct settings_pin *pin, size_t index)
{
    size_t bit = index * 6;
    size_t byte = bit / 8;
    unsigned pair = (unsigned)pin->digest[byte] << 8;
    pair |= byte + 1 < sizeof(pin->digest) ? pin->digest[byte + 1] : 0;
    return (pair >> (10 - bit % 8)) & 0x3f;
}

void pin_to_text(const struct settings_pin *pin, char text_out[PIN_TEXT_SIZE])
{
    char *at = text_out + PIN_PREFIX_LEN;
    memcpy(text_out, PIN_PREFIX, PIN_PREFIX_LEN);
    for (size_t i = 0; i < PIN_DIGITS; i++) {
        *at++ = pin_alphabet[pin_sextet(pin, i)];
    }
    memcpy(at, "=", sizeof("="));
}

static void pin_add_sextet(struct settings_pin *pin, size_t index, unsigned sextet)
{
    size_t bit = index * 6;
    size_t byte = bit / 8;
    unsigned pair = sextet << (10 - bit % 8);
    pin->digest[byte] |= (uint8_t)(pair >> 8);
    if (byte + 1 < sizeof(pin->digest)) {
        pin->digest[byte + 1] |= (uint8_t)pair;
    }
}

bool pin_from_text(const char *bytes, size_t len, struct settings_pin *pin_out)
{
    struct settings_pin pin = {.digest = {0}};
    char again[PIN_TEXT_SIZE];
    if (len != PIN_TEXT_LEN || memcmp(bytes, PIN_PREFIX, PIN_PREFIX_LEN) != 0) {
        return false;
    }
    for (size_t i = 0; i < PIN_DIGITS; i++) {
        char digit = bytes[PIN_PREFIX_LEN + i];
        const char *place = digit == '\0' ? NULL : strchr(pin_alphabet, digit);
        if (place == NULL) {
            return false;
        }
        pin_add_sextet(&pin, i, (unsigned)(place - pin_alphabet));
    }
    /* One pin has one form: no bits behind the digest, and the "=" in its place. */
    pin_to_text(&pin, again);
    *pin_out = pin;
    return memcmp(again, bytes, PIN_TEXT_LEN) == 0;
}
