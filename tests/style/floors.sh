#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# floors.sh [ROOT]: each folder includes only what lies on the floors below it (ARCHITECTURE.md,
# "Floors"), and what has no sockets, loops or threads includes no header of these.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$here/../..}"
if [ ! -d base ]; then
    echo "$PWD: no base/ here; give the root of the source tree" >&2
    exit 64
fi

# shellcheck disable=SC2016 # The dollars are those of awk.
find base wire mail cache conf resolver daemon doctor setup cmd \
    -name '*.[ch]' -o -name '*.def' 2>/dev/null | sort | xargs awk "$(cat "$here/code.awk")"'
BEGIN {
    below["base"] = " base "
    below["wire"] = " base wire "
    below["mail"] = " base wire mail "
    below["cache"] = " base wire cache "
    below["conf"] = " base wire conf "
    below["resolver"] = " base wire mail cache resolver "
    below["daemon"] = " base wire mail cache conf resolver daemon "
    below["doctor"] = " base wire mail conf doctor "
    below["setup"] = " base wire mail conf doctor setup "
    below["cmd"] = " base wire mail cache conf resolver daemon doctor setup cmd "

    # Single files of a floor that is otherwise not seen.
    also["resolver"] = " conf/settings.h "
    also["doctor"] = " resolver/judge.h "

    is_pure["base"] = is_pure["wire"] = is_pure["mail"] = is_pure["cache"] = 1
    is_pure["conf"] = is_pure["resolver"] = 1
    socket_headers = "^(sys/(socket|un|epoll|select|poll|eventfd|timerfd|signalfd)|netinet/.*" \
        "|arpa/inet|net/if|netdb|poll|ev|event|uv)[.]h$"
    thread_headers = "^(pthread|threads)[.]h$"
}

function floor_check(floor, name,    other) {
    other = floor_of(name)
    if (other == "") {
        complain("\"" name "\" is included without its folder; write \"" floor "/" name "\"")
    } else if (index(below[floor], " " other " ") == 0 && index(also[floor], " " name " ") == 0) {
        complain(floor "/ must not see " name "; it may include" below[floor] also[floor] \
            "only. Hand the thing in from above, or move it down")
    }
}

function system_check(floor, name) {
    if (is_pure[floor] && name ~ socket_headers && FILENAME !~ /^base\/address[.][ch]$/) {
        complain(floor "/ has no sockets and no loop: <" name "> belongs to daemon/; " \
            "addresses are those of base/address.h")
    }
    if (is_pure[floor] && floor != "cache" && name ~ thread_headers) {
        complain(floor "/ has no threads: <" name "> belongs to daemon/, or to the locks of cache/")
    }
}

{
    text = code($0)
    name = included($0)
    if (name == "" || text !~ /^[ \t]*#/) {
        next
    }
    if (name ~ /^"/) {
        floor_check(floor_of(FILENAME), unquoted(name))
    } else {
        system_check(floor_of(FILENAME), unquoted(name))
    }
}

END {
    exit failed
}
' || exit 1
