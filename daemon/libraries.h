/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

struct text;

/*
 * Which versions of the daemon's libraries run, and which it was compiled with: a line each, for
 * reports of trouble. Pure.
 */
void libraries_add(struct text *text);
