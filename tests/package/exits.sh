#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# exits.sh SOURCE BUILD: what cannot be written is no success, whichever subcommand says it.
set -eu
program=$2/mxcache
status=0

# expect_74 WORD...
expect_74() {
    code=0
    "$program" "$@" >/dev/full 2>/dev/null || code=$?
    if [ "$code" != 74 ]; then
        echo "mxcache $* on a full disk gave $code, not 74"
        status=1
    fi
}

expect_74 --help
expect_74 --version
expect_74 conf -d
expect_74 check -o upstreams=192.0.2.1 /dev/null
expect_74 doctor --list
for subcommand in $("$program" --help | awk '/^  [a-z]/ { print $1 }'); do
    expect_74 "$subcommand" --help
done
exit $status
