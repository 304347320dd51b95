/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

struct findings;
struct parse;
struct resolv_conf;
struct settings;

/*
 * What no single setting can tell: checks across settings. A check that rests on a value which was
 * reported already is left out. Pure; main thread.
 */
void cross_check(struct parse *parse);

/* libc gives up on a server after the timeout: of resolv.conf; a smaller one than the deadline
 * makes it ask again while we are still at work. `file` is the name for the finding. */
void cross_check_libc(const struct settings *settings, const char *file,
    const struct resolv_conf *resolv_conf, struct findings *findings);
