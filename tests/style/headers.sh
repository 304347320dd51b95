#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# headers.sh [ROOT [HEADER...]]: every header compiles alone and is guarded. With HEADERs only these
# are looked at. CC names the compiler.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$here/../..}"
if [ ! -d base ]; then
    echo "$PWD: no base/ here; give the root of the source tree" >&2
    exit 64
fi

[ $# -eq 0 ] || shift
if [ $# -eq 0 ]; then
    # shellcheck disable=SC2046 # No name in the tree has a blank.
    set -- $(find base wire mail cache conf resolver daemon doctor setup cmd tests -name '*.h' \
        2>/dev/null | sort)
fi

status=0
printf '%s\n' "$@" |
    LC_ALL=C xargs -n 16 -P 4 "${CC:-cc}" -std=gnu17 -D_GNU_SOURCE -I. -w -fsyntax-only -x c || {
    echo "A header needs more than it includes: include it there, or forward-declare the struct."
    status=1
}
for header in "$@"; do
    grep -q '^#pragma once$' "$header" || {
        echo "$header:1: #pragma once is missing; write it below the licence line"
        status=1
    }
done
exit $status
