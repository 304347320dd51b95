/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/types.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct type_row {
    uint16_t type;
    const char *text;
};

/* The registry of RFC 6895, as far as its types have been seen alive. */
static const struct type_row type_rows[] = {
    {1, "A"},
    {2, "NS"},
    {3, "MD"},
    {4, "MF"},
    {5, "CNAME"},
    {6, "SOA"},
    {7, "MB"},
    {8, "MG"},
    {9, "MR"},
    {10, "NULL"},
    {11, "WKS"},
    {12, "PTR"},
    {13, "HINFO"},
    {14, "MINFO"},
    {15, "MX"},
    {16, "TXT"},
    {17, "RP"},
    {18, "AFSDB"},
    {19, "X25"},
    {20, "ISDN"},
    {21, "RT"},
    {22, "NSAP"},
    {23, "NSAP-PTR"},
    {24, "SIG"},
    {25, "KEY"},
    {26, "PX"},
    {27, "GPOS"},
    {28, "AAAA"},
    {29, "LOC"},
    {30, "NXT"},
    {33, "SRV"},
    {35, "NAPTR"},
    {36, "KX"},
    {37, "CERT"},
    {38, "A6"},
    {39, "DNAME"},
    {41, "OPT"},
    {42, "APL"},
    {43, "DS"},
    {44, "SSHFP"},
    {45, "IPSECKEY"},
    {46, "RRSIG"},
    {47, "NSEC"},
    {48, "DNSKEY"},
    {49, "DHCID"},
    {50, "NSEC3"},
    {51, "NSEC3PARAM"},
    {52, "TLSA"},
    {53, "SMIMEA"},
    {55, "HIP"},
    {59, "CDS"},
    {60, "CDNSKEY"},
    {61, "OPENPGPKEY"},
    {62, "CSYNC"},
    {63, "ZONEMD"},
    {64, "SVCB"},
    {65, "HTTPS"},
    {99, "SPF"},
    {104, "NID"},
    {105, "L32"},
    {106, "L64"},
    {107, "LP"},
    {108, "EUI48"},
    {109, "EUI64"},
    {249, "TKEY"},
    {250, "TSIG"},
    {251, "IXFR"},
    {252, "AXFR"},
    {253, "MAILB"},
    {254, "MAILA"},
    {255, "ANY"},
    {256, "URI"},
    {257, "CAA"},
    {32769, "DLV"},
};

#define TYPE_ROWS (sizeof(type_rows) / sizeof(type_rows[0]))

static const struct type_row rcode_rows[] = {
    {0, "NOERROR"},
    {1, "FORMERR"},
    {2, "SERVFAIL"},
    {3, "NXDOMAIN"},
    {4, "NOTIMP"},
    {5, "REFUSED"},
    {6, "YXDOMAIN"},
    {7, "YXRRSET"},
    {8, "NXRRSET"},
    {9, "NOTAUTH"},
    {10, "NOTZONE"},
    {11, "DSOTYPENI"},
    {16, "BADVERS"},
    {17, "BADKEY"},
    {18, "BADTIME"},
    {19, "BADMODE"},
    {20, "BADNAME"},
    {21, "BADALG"},
    {22, "BADTRUNC"},
    {23, "BADCOOKIE"},
};

#define RCODE_ROWS (sizeof(rcode_rows) / sizeof(rcode_rows[0]))

const char *type_to_text(uint16_t type, char text_out[TYPE_TEXT_SIZE])
{
    for (size_t i = 0; i < TYPE_ROWS; i++) {
        if (type_rows[i].type == type) {
            snprintf(text_out, TYPE_TEXT_SIZE, "%s", type_rows[i].text);
            return text_out;
        }
    }
    snprintf(text_out, TYPE_TEXT_SIZE, "TYPE%u", (unsigned)type);
    return text_out;
}

/* The digits behind "TYPE" (RFC 3597 section 5). */
static bool type_from_digits(const char *digits, size_t len, uint16_t *type_out)
{
    unsigned value = 0;
    if (len == 0 || len > 5) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (digits[i] < '0' || digits[i] > '9') {
            return false;
        }
        value = value * 10 + (unsigned)(digits[i] - '0');
    }
    if (value > UINT16_MAX) {
        return false;
    }
    *type_out = (uint16_t)value;
    return true;
}

bool type_from_text(const char *text, size_t len, uint16_t *type_out)
{
    for (size_t i = 0; i < TYPE_ROWS; i++) {
        if (strlen(type_rows[i].text) == len && strncasecmp(type_rows[i].text, text, len) == 0) {
            *type_out = type_rows[i].type;
            return true;
        }
    }
    if (len > 4 && strncasecmp(text, "TYPE", 4) == 0) {
        return type_from_digits(text + 4, len - 4, type_out);
    }
    return false;
}

bool type_is_meta(uint16_t type)
{
    return type == TYPE_OPT || (type >= 128 && type <= 255);
}

const char *rcode_to_text(unsigned rcode, char text_out[TYPE_TEXT_SIZE])
{
    for (size_t i = 0; i < RCODE_ROWS; i++) {
        if (rcode_rows[i].type == rcode) {
            snprintf(text_out, TYPE_TEXT_SIZE, "%s", rcode_rows[i].text);
            return text_out;
        }
    }
    snprintf(text_out, TYPE_TEXT_SIZE, "RCODE%u", rcode & 0xffffu);
    return text_out;
}
