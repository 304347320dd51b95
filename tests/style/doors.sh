#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# doors.sh [ROOT]: every foreign library, the clocks and the randomness of the system enter by one
# door each (ARCHITECTURE.md, "Doors").
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$here/../..}"
if [ ! -d base ]; then
    echo "$PWD: no base/ here; give the root of the source tree" >&2
    exit 64
fi

# shellcheck disable=SC2016 # The dollars are those of awk.
find base wire mail cache conf resolver daemon doctor setup cmd tests \
    -name '*.[ch]' 2>/dev/null | sort | xargs awk "$(cat "$here/code.awk")"'
# A header that matches `pattern` may be included by the files that match `files`.
function header_door(pattern, files, advice) {
    headers++
    header_pattern[headers] = pattern
    header_files[headers] = files
    header_advice[headers] = advice
}

# The same for calls of functions.
function call_door(names, files, advice) {
    calls++
    call_pattern[calls] = "(^|[^A-Za-z0-9_])(" names ")[ \t]*[(]"
    call_files[calls] = files
    call_advice[calls] = advice
}

BEGIN {
    header_door("^(libev/)?ev[.]h$", "^(daemon/[^/]*[.]c|tests/.*)$",
        "libev enters by daemon/*.c, never by a header: forward-declare struct ev_loop")
    header_door("^openssl/", "^(daemon/tls(_reason)?[.]c|tests/.*)$",
        "OpenSSL enters by daemon/tls.c and tls_reason.c: use the functions of daemon/tls.h")
    header_door("^ldns/", "^(cmd/.*|doctor/.*|resolver/(validate|chain|anchors)[.]c|tests/.*)$",
        "ldns is for cmd/, doctor/, validation and tests; messages are read by wire/")
    header_door("^pcap", "^(doctor/capture_file[.]c|tests/.*)$",
        "libpcap enters by doctor/capture_file.c")
    header_door("^fstrm", "^daemon/dnstap[.]c$",
        "libfstrm enters by daemon/dnstap.c: use the functions of daemon/dnstap.h")
    header_door("^hiredis/", "^daemon/l2_redis[.]c$", "hiredis enters by daemon/l2_redis.c")
    header_door("^cmocka", "^tests/", "cmocka is for tests/")
    header_door("^sys/random[.]h$", "^base/random[.]c$",
        "randomness is handed in as a struct random (base/random.h)")

    # Tests may compare the door with what is behind it, and play the outside world; the
    # simulation has a clock of its own.
    call_door("clock_gettime|gettimeofday|time|ftime|timespec_get|ev_now|ev_time",
        "^(base/clock[.]c|tests/(unit|support|bench)/.*)$",
        "is a clock: take `now` as an argument, or call clock_now() or clock_wall() (base/clock.h)")
    call_door("getrandom|getentropy|arc4random[a-z_]*|random|srandom|rand_r|[dlm]rand48|RAND_bytes",
        "^base/random[.]c$",
        "is randomness: it is handed in as a struct random (base/random.h)")
}

function header_check(name,    i) {
    for (i = 1; i <= headers; i++) {
        if (name ~ header_pattern[i] && FILENAME !~ header_files[i]) {
            complain("<" name "> does not belong here; " header_advice[i])
        }
    }
}

function call_check(text,    i, call) {
    for (i = 1; i <= calls; i++) {
        if (match(text, call_pattern[i]) && FILENAME !~ call_files[i]) {
            call = substr(text, RSTART, RLENGTH)
            sub(/^[^A-Za-z0-9_]/, "", call)
            complain(call ") " call_advice[i])
        }
    }
}

{
    text = code($0)
    name = included($0)
    if (name != "" && text ~ /^[ \t]*#/) {
        header_check(unquoted(name))
    }
    call_check(text)
    if ($0 ~ /"\/dev\/u?random"/ && FILENAME != "base/random.c") {
        complain("/dev/random is randomness: it is handed in as a struct random (base/random.h)")
    }
}

END {
    exit failed
}
' || exit 1
