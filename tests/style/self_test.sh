#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# self_test.sh [ROOT]: the proof that the style tests can fail. In a copy of the tree one rule after
# the other is broken; the script in charge must name the place. What is allowed must stay unnamed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$here/../..}"
if [ ! -d base ]; then
    echo "$PWD: no base/ here; give the root of the source tree" >&2
    exit 64
fi

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
for folder in base wire mail cache conf resolver daemon doctor setup cmd doc tests; do
    if [ -d "$folder" ]; then
        tar -cf - --exclude=tests/fuzz/corpus --exclude=tests/live "$folder" | tar -xf - -C "$copy"
    fi
done
mkdir -p "$copy/wire" "$copy/resolver" "$copy/daemon" "$copy/tests/sim"

status=0
shown=0

run() {
    result=0
    script=$1
    shift
    "$here/$script.sh" "$copy" "$@" >"$copy/complaints" 2>&1 || result=$?
}

# expect FILE:LINE WORD: the script that ran has failed and complains there, of that.
expect() {
    shown=$((shown + 1))
    if [ "$result" -ne 1 ] || ! grep -F "$1: " "$copy/complaints" | grep -qF -- "$2"; then
        echo "tests/style/$script.sh:1: does not complain at $1 of '$2' (status $result); it says:"
        cat "$copy/complaints"
        status=1
    fi
}

expect_silence() {
    shown=$((shown + 1))
    if grep -F "$1:" "$copy/complaints"; then
        echo "tests/style/$script.sh:1: complains of $1, which keeps the rules"
        status=1
    fi
}

# lines COUNT TEXT: the text so many times.
lines() {
    awk -v count="$1" -v text="$2" 'BEGIN { while (count-- > 0) print text }'
}

spdx='/* SPDX-License-Identifier: BSD-2-Clause */'

# What only looks like a breach: words in comments and literals, and names that contain others.
cat >"$copy/wire/healthy.c" <<C
$spdx
#include "wire/healthy.h"

#include <stdint.h>
#include <time.h>

#include "base/clock.h"

/* Once there was a strcpy(a, b) here, with
 * #include "cache/cache.h" and gettimeofday(now). */
typedef void (*healthy_on_end)(void *owner);
static const char healthy_words[] = "atoi(x) \" time(NULL) /* ";

static int healthy_runtime(int time)
{
    if (time > 0) {
        return healthy_strcat(healthy_words, '"', '\\''); // rand() is not called
    }
    return healthy_uptime(time);
}
C

cat >"$copy/wire/floor.c" <<C
$spdx
#include "base/text.h"
#include "cache/cache.h"
#include <sys/socket.h>
#include "bare.h"
#include <pthread.h>
C
printf '%s\n' "$spdx" '#include "cache/key.h"' >"$copy/mail/floor.c"
printf '%s\n' "$spdx" '#include "conf/settings.h"' '#include "conf/parse.h"' \
    >"$copy/resolver/floor.c"
printf '%s\n' "$spdx" '#include "cmd/client.h"' >"$copy/daemon/floor.h"
run floors
expect wire/floor.c:3 cache/cache.h
expect wire/floor.c:4 '<sys/socket.h>'
expect wire/floor.c:5 'without its folder'
expect wire/floor.c:6 '<pthread.h>'
expect mail/floor.c:2 cache/key.h
expect resolver/floor.c:3 conf/parse.h
expect daemon/floor.h:2 cmd/client.h
expect_silence wire/healthy.c
expect_silence wire/floor.c:2
expect_silence resolver/floor.c:2

printf '%s\n' "$spdx" '#include <ev.h>' >"$copy/daemon/door.h"
cat >"$copy/resolver/door.c" <<C
$spdx
#include <ev.h>
#include <openssl/ssl.h>
#include <ldns/ldns.h>
    now = time(NULL);
    clock_gettime(CLOCK_MONOTONIC, &now);
    getrandom(bytes, 2, 0);
C
printf '%s\n' "$spdx" '    gettimeofday(&now, NULL);' >"$copy/tests/sim/door.c"
run doors
expect daemon/door.h:2 ev.h
expect resolver/door.c:2 ev.h
expect resolver/door.c:3 openssl/ssl.h
expect resolver/door.c:4 ldns/ldns.h
expect resolver/door.c:5 'time()'
expect resolver/door.c:6 'clock_gettime()'
expect resolver/door.c:7 'getrandom()'
expect tests/sim/door.c:2 'gettimeofday()'
expect_silence wire/healthy.c
expect_silence base/clock.c
expect_silence base/random.c

{
    printf '%s\nvoid size_long(void)\n{\n' "$spdx"
    lines 69 '    size_step();'
    printf '}\n\nvoid size_just(void)\n{\n'
    lines 68 '    size_step();'
    printf '}\n\nvoid size_deep(void)\n{\n                if (is_deep) {\n'
    printf '            if (is_not) {\n}\n%s\n' "/* $(lines 104 x | tr -d '\n') */"
    printf '/* %s */\n' "$(lines 90 é | tr -d '\n')"
} >"$copy/wire/size.c"
lines 601 '' >"$copy/wire/size_file.c"
lines 151 '' >"$copy/wire/size_header.h"
run sizes
expect wire/size.c:3 'size_long() has 71 lines'
expect wire/size.c:149 'control nests 4 deep in size_deep()'
expect wire/size.c:152 'the line has 110 columns'
expect wire/size_file.c:601 'the file has 601 lines'
expect wire/size_header.h:151 'the file has 151 lines'
expect_silence wire/healthy.c
expect_silence wire/size.c:76
expect_silence wire/size.c:150
expect_silence wire/size.c:153

cat >"$copy/wire/forbidden.c" <<C
int forbidden_count;
    strcpy(to, from);
    len += sprintf(to, "%d", atoi(from));
    strtok (to, ",");
    number = rand();
/* TO${shown:+}DO: later. */
typedef struct forbidden forbidden_t;
static int forbidden_state = 1;
void forbidden_call(void)
{
#ifdef DEBUG
#endif
first:
second:
}
C
run forbidden
expect wire/forbidden.c:1 'licence line'
expect wire/forbidden.c:2 'strcpy()'
expect wire/forbidden.c:3 'sprintf()'
expect wire/forbidden.c:3 'atoi()'
expect wire/forbidden.c:4 'strtok ()'
expect wire/forbidden.c:5 'rand()'
expect wire/forbidden.c:6 'note to oneself'
expect wire/forbidden.c:7 typedef
expect wire/forbidden.c:8 'a global that changes'
expect wire/forbidden.c:11 '#if'
expect wire/forbidden.c:14 'second label'
expect_silence wire/healthy.c
expect_silence base/log.c

printf '%s\n#pragma once\nvoid header_needs(size_t len);\n' "$spdx" >"$copy/wire/header.h"
printf '%s\nstruct header_unguarded;\n' "$spdx" >"$copy/wire/header_unguarded.h"
run headers wire/header.h wire/header_unguarded.h base/list.h
expect wire/header.h:3:19 size_t
expect wire/header_unguarded.h:1 '#pragma once'
expect_silence base/list.h

mkdir -p "$copy/conf" "$copy/doc"
cat >"$copy/conf/schema.def" <<C
TOPIC(ONE, MAIN, "One", "")
SETTING(ONE, listed, NUMBER, NOWHERE, "1", 1, 2, RELOAD, "NUMBER", "Sentence.")
SETTING(ONE, left_out, NUMBER, NOWHERE, "1", 1, 2, RELOAD, "NUMBER", "Sentence.")
C
printf '*listed* = _NUMBER_\n*made_up* = _NUMBER_\n' \
    >"$copy/doc/mxcache.conf.5.scd"
printf '# The listed = sign.\n#listed = 1\nleft_out = 1\n' >"$copy/conf/mxcache.conf"
cat >"$copy/wire/metrics.def" <<C
METRIC_COUNTER(good, "Counts what is good, \"all of it\".")
METRIC_GAUGE(broken_in_two,
    "Stands on two lines.")
METRIC_COUNTER(mute, "")
METRIC_COUNTER(good, "Is here again.")
METRIC_COUNTER(no_sentence)
C
echo 'METRIC_COUNTER(new_cups, "Cups of tea.")' >>"$copy/daemon/metrics.def"
run defs
expect doc/mxcache-metrics.7.scd:1 'differs from the .def files'
expect conf/schema.def:3 'left_out is not in doc/mxcache.conf.5.scd'
expect doc/mxcache.conf.5.scd:2 made_up
expect wire/metrics.def:4 'mute needs a sentence'
expect wire/metrics.def:5 'good already stands in wire/metrics.def'
expect wire/metrics.def:6 'not a row'
expect_silence conf/schema.def:2
expect_silence doc/mxcache.conf.5.scd:1
expect_silence conf/mxcache.conf
expect_silence wire/metrics.def:3

[ $status -ne 0 ] || echo "$shown proofs"
exit $status
