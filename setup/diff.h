/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * A change of a file as a unified diff, for people to read and patch(1) to apply. The lines that
 * both ends share are left out but for three; all between is told as taken out and put in, which is
 * exact for changes in one place, as setup's are. Pure; any thread.
 */
struct path_state;
struct text;

void diff_add(struct text *text, const char *path, const struct path_state *was,
    const struct path_state *set);
