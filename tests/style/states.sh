#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The state diagrams in resolver/query.h and resolver/fetch.h say the same as the tables in query.c
# and fetch.c. A diagram line is "STEP -> STEP, STEP   remark"; a table row is
# "[NOUN_STEP] = {function, TO(STEP) | TO(STEP)},".
# Usage: states.sh [ROOT]
set -u
root=${1:-$(dirname "$0")/../..}
status=0

diagram() {
    awk '/^ \*     [A-Z]+ +-> / {
        line = $0
        sub(/^ \*     /, "", line)
        split(line, sides, / +-> /)
        sub(/  .*/, "", sides[2])
        count = split(sides[2], targets, /, */)
        for (i = 1; i <= count; i++) {
            print sides[1] " -> " targets[i]
        }
    }' "$1" | tr -d ' ' | sort
}

table() {
    tr -d '\n' < "$1" | sed 's/},/},\n/g' | awk -v noun="$2" '{
        if (match($0, "\\[" noun "_[A-Z]+\\] = \\{[a-z]")) {
            from = substr($0, RSTART + length(noun) + 2, RLENGTH - length(noun) - 8)
            rest = $0
            while (match(rest, /TO\([A-Z]+\)/)) {
                print from "->" substr(rest, RSTART + 3, RLENGTH - 4)
                rest = substr(rest, RSTART + RLENGTH)
            }
        }
    }' | sort
}

compare() {
    header="$root/resolver/$1.h"
    code="$root/resolver/$1.c"
    noun=$(printf '%s' "$1" | tr '[:lower:]' '[:upper:]')
    drawn=$(diagram "$header")
    coded=$(table "$code" "$noun")
    if [ -z "$coded" ] || [ "$drawn" != "$coded" ]; then
        echo "resolver/$1.h:1: the diagram and the table in resolver/$1.c have different edges;" \
            "make them equal. Drawn:"
        echo "$drawn"
        echo "Coded:"
        echo "$coded"
        status=1
    fi
}

compare query
compare fetch
exit $status
