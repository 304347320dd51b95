#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# forbidden.sh [ROOT]: calls that cannot be bounded, notes to oneself, conditional compilation in
# bodies, types that hide a struct, globals that change, files without a licence line.
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
        -path tests/style -prune -o -name '*.[ch]' -print -o -name '*.sh' -print \
        -o -name '*.def' -print -o -name CMakeLists.txt -print 2>/dev/null
    find cmake -name '*.cmake' 2>/dev/null
    find CMakeLists.txt dev .ci/run 2>/dev/null || true
} | sort | xargs awk "$(cat "$here/code.awk")"'
function call_forbidden(names, advice) {
    calls++
    call_pattern[calls] = "(^|[^A-Za-z0-9_])(" names ")[ \t]*[(]"
    call_advice[calls] = advice
}

BEGIN {
    call_forbidden("strcpy|strcat|stpcpy|sprintf|vsprintf",
        "does not know the room it writes to: use struct text (base/text.h) or snprintf")
    call_forbidden("gets", "does not know the room it writes to: use fgets")
    call_forbidden("atoi|atol|atoll|atof",
        "does not tell an error from 0: use text_parse_u64 (base/text.h)")
    call_forbidden("alloca", "has no limit: use an array of fixed size or a pool")
    call_forbidden("strtok", "keeps state and changes its input: walk with strcspn or memchr")
    call_forbidden("rand|srand", "can be guessed: use a struct random (base/random.h)")

    # A changing global is allowed to the log level alone.
    global_file = "base/log.c"
}

function call_check(text,    i, call) {
    for (i = 1; i <= calls; i++) {
        if (match(text, call_pattern[i])) {
            call = substr(text, RSTART, RLENGTH)
            sub(/^[^A-Za-z0-9_]/, "", call)
            complain(call ") " call_advice[i])
        }
    }
}

# A typedef may name a function type, which has parentheses; nothing else.
function typedef_check(text) {
    if (text ~ /^[ \t]*typedef[ \t]/) {
        typedef_line = FNR
        typedef_text = ""
    }
    if (!typedef_line) {
        return
    }
    typedef_text = typedef_text text
    if (typedef_text ~ /[;{]/) {
        if (typedef_text !~ /[(]/ || typedef_text ~ /[{]/) {
            complain_at(FILENAME, typedef_line,
                "this typedef hides what a thing is: write struct, enum or the plain type")
        }
        typedef_line = 0
    }
}

function body_check(line, text) {
    if (line ~ /^\{/) {
        in_body = 1
        labels = 0
    } else if (line ~ /^\}/) {
        in_body = 0
    } else if (in_body && text ~ /^[ \t]*#[ \t]*(if|ifdef|ifndef)([ \t(]|$)/) {
        complain("#if in a function body: choose between whole functions, in a header of base/")
    } else if (in_body && text ~ /^ *[a-z_]+:[ \t]*$/ && text !~ /default:/) {
        labels++
        if (labels > 1) {
            complain("a second label in one function: one, forward, for cleaning up, is allowed")
        }
    }
}

function global_check(text) {
    if (text ~ /^[ \t]*static[ \t]/ && text !~ /[(]/ && text ~ /[;=]/ &&
        text !~ /(^|[^A-Za-z0-9_])const([^A-Za-z0-9_]|$)/ && FILENAME !~ /^tests\// &&
        FILENAME != global_file) {
        complain("a global that changes: give it an owner and hand it in, or make it const")
    }
}

FNR == 1 {
    in_body = 0
    typedef_line = 0
    spdx_line = $0 ~ /^#!/ ? 2 : 1
}

FNR == spdx_line && FILENAME !~ /[.]def$/ && $0 !~ /SPDX-License-Identifier: BSD-2-Clause/ {
    complain("the licence line is missing: SPDX-License-Identifier: BSD-2-Clause, as a comment")
}

/(^|[^A-Za-z0-9_])(TODO|FIXME|XXX|HACK)([^A-Za-z0-9_]|$)/ {
    complain("a note to oneself: do it, or write it where work is planned")
}

FILENAME ~ /[.][ch]$/ {
    text = code($0)
    call_check(text)
    typedef_check(text)
    body_check($0, text)
    global_check(text)
}

END {
    exit failed
}
' || exit 1
