/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "doctor/mail_log.h"

#define DAY_S  86400
#define YEAR_S 31556952 /* On average. */

/* Digits at `at`, exactly `count`. */
static bool take_digits(const char *at, size_t count, int *number_out)
{
    int number = 0;
    for (size_t i = 0; i < count; i++) {
        if (at[i] < '0' || at[i] > '9') {
            return false;
        }
        number = number * 10 + (at[i] - '0');
    }
    *number_out = number;
    return true;
}

struct civil {
    int year;
    int month;
    int day;
    int hour;
    int minute;
    int second;
};

/* Seconds since 1970 of a date in the Gregorian calendar; March is the first month, so that the
 * leap day is the last of the year. */
static int64_t civil_seconds(const struct civil *civil)
{
    int64_t year = civil->year - (civil->month <= 2);
    int64_t month = civil->month + (civil->month <= 2 ? 9 : -3);
    int64_t days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 +
                   civil->day - 1 - 719468;
    return days * DAY_S + civil->hour * 3600 + civil->minute * 60 + civil->second;
}

static bool civil_is_sane(const struct civil *civil)
{
    return civil->year >= 1970 && civil->month >= 1 && civil->month <= 12 && civil->day >= 1 &&
           civil->day <= 31 && civil->hour <= 23 && civil->minute <= 59 && civil->second <= 60;
}

/* HH:MM:SS */
static bool take_clock(const char *at, struct civil *civil)
{
    return take_digits(at, 2, &civil->hour) && at[2] == ':' &&
           take_digits(at + 3, 2, &civil->minute) && at[5] == ':' &&
           take_digits(at + 6, 2, &civil->second);
}

/* Z, +HH:MM or +HHMM behind an RFC 3339 time. Returns its length; none is local time. */
static size_t take_zone(const char *at, size_t len, int64_t *offset_s)
{
    int hours;
    int minutes;
    if (len >= 1 && at[0] == 'Z') {
        *offset_s = 0;
        return 1;
    }
    bool is_signed = len >= 5 && (at[0] == '+' || at[0] == '-');
    if (!is_signed || !take_digits(at + 1, 2, &hours)) {
        return 0;
    }
    size_t colon = at[3] == ':';
    if (len < 5 + colon || !take_digits(at + 3 + colon, 2, &minutes)) {
        return 0;
    }
    *offset_s = (at[0] == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    return 5 + colon;
}

/* YYYY-MM-DD, T or a blank, HH:MM:SS, a fraction, a zone. */
static size_t take_full(const char *line, size_t len, int64_t offset_s, int64_t *time_s_out)
{
    struct civil civil;
    bool is_date = len >= 19 && take_digits(line, 4, &civil.year) && line[4] == '-' &&
                   take_digits(line + 5, 2, &civil.month) && line[7] == '-' &&
                   take_digits(line + 8, 2, &civil.day) && (line[10] == 'T' || line[10] == ' ');
    if (!is_date || !take_clock(line + 11, &civil) || !civil_is_sane(&civil)) {
        return 0;
    }
    size_t at = 19;
    if (at < len && (line[at] == '.' || line[at] == ',')) {
        at++;
        while (at < len && line[at] >= '0' && line[at] <= '9') {
            at++;
        }
    }
    at += take_zone(line + at, len - at, &offset_s);
    *time_s_out = civil_seconds(&civil) - offset_s;
    return at;
}

/* "Nov 21 13:31:30" or "Nov  1 ...", of the latest year in which it does not lie ahead. */
static size_t take_syslog(
    const char *line, size_t len, const struct mail_log *log, int64_t *time_s_out)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct civil civil = {.year = 0};
    if (len < 15 || line[3] != ' ' || line[6] != ' ' || !take_clock(line + 7, &civil)) {
        return 0;
    }
    for (int i = 0; i < 12 && civil.month == 0; i++) {
        civil.month = memcmp(line, months + (ptrdiff_t)3 * i, 3) == 0 ? i + 1 : 0;
    }
    bool is_day = line[4] == ' ' ? take_digits(line + 5, 1, &civil.day)
                                 : take_digits(line + 4, 2, &civil.day);
    civil.year = (int)(1971 + log->now_s / YEAR_S);
    if (civil.month == 0 || !is_day || !civil_is_sane(&civil)) {
        return 0;
    }
    for (int i = 0; i < 2 && civil_seconds(&civil) - log->offset_s > log->now_s + DAY_S; i++) {
        civil.year--;
    }
    *time_s_out = civil_seconds(&civil) - log->offset_s;
    return 15;
}

size_t mail_log_stamp(const char *line, size_t len, const struct mail_log *log, int64_t *time_s_out)
{
    size_t taken = take_full(line, len, log->offset_s, time_s_out);
    return taken > 0 ? taken : take_syslog(line, len, log, time_s_out);
}
