/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>

/*
 * The doctor's report for people: what is not well in full, by groups, the worst first; then one
 * line each for what is well and what was not looked at; the closing sentence last. 80 columns.
 * Pure; any thread.
 */
struct report;
struct stats_style;
struct text;

struct doctor_text_form {
    const struct stats_style *style;
    bool shows_all; /* What is well is told in full, too. */
};

void doctor_text_add(
    struct text *text, const struct doctor_text_form *form, const struct report *report);

/* "The most likely cause of slow or refused mail: ...", or that none was found. */
void doctor_text_add_cause(struct text *text, const struct report *report);
