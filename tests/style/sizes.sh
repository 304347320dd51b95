#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# sizes.sh [ROOT]: what a reader can hold in mind. Files, headers, functions and lines have a
# largest length, and control nests three deep.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$here/../..}"
if [ ! -d base ]; then
    echo "$PWD: no base/ here; give the root of the source tree" >&2
    exit 64
fi

# shellcheck disable=SC2016 # The dollars are those of awk.
{
    find base wire mail cache conf resolver daemon doctor setup cmd tests \
        -name '*.[ch]' -o -name '*.sh' -o -name '*.awk' 2>/dev/null
    find dev .ci/run 2>/dev/null || true
} | sort | xargs awk "$(cat "$here/code.awk")"'
BEGIN {
    file_lines = 600
    header_lines = 150
    function_lines = 70
    line_columns = 100
    nesting = 3
}

function file_check(file, lines,    limit) {
    # The headers of tests are fixtures with bodies, not contracts.
    limit = file ~ /[.]h$/ && file !~ /^tests\// ? header_lines : file_lines
    if (lines > limit) {
        complain_at(file, lines, "the file has " lines " lines, at most " limit \
            " are allowed; split it by subject")
    }
}

# Columns, not bytes: UTF-8 continuation bytes are not counted.
function line_check(line) {
    if (length(line) > line_columns) {
        gsub(/[\200-\277]/, "", line)
    }
    if (length(line) > line_columns) {
        complain("the line has " length(line) " columns, at most " line_columns \
            " are allowed; let clang-format break it")
    }
}

# A function is what stands between { and } in the first column.
function function_check(line, text,    depth) {
    if (line ~ /^\{/) {
        opened = FNR
    } else if (line ~ /^\}/ && opened) {
        if (FNR - opened + 1 > function_lines) {
            complain_at(FILENAME, opened, name " has " FNR - opened + 1 " lines, at most " \
                function_lines " are allowed; give its parts names")
        }
        opened = 0
    } else if (opened && text ~ /^ +(if|for|while|switch|do)([ ({]|$)/ && line !~ /\\$/) {
        match(text, /^ +/)
        depth = RLENGTH / 4
        if (depth > nesting) {
            complain("control nests " depth " deep in " name ", at most " nesting \
                " are allowed; make the inner part a function, or leave early")
        }
    }
}

# Remembers the name in front of a { in the first column.
function name_take(line, text) {
    if (line ~ /^[A-Za-z_]/ && match(text, /[A-Za-z0-9_]+[(]/)) {
        name = substr(text, RSTART, RLENGTH) ")"
    }
}

FNR == 1 {
    if (NR > 1) {
        file_check(file, lines)
    }
    file = FILENAME
    opened = 0
}

{
    lines = FNR
    line_check($0)
}

FILENAME ~ /[.][ch]$/ {
    text = code($0)
    if (!opened) {
        name_take($0, text)
    }
    function_check($0, text)
}

END {
    file_check(file, lines)
    exit failed
}
' || exit 1
