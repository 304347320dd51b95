#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# defs.sh [ROOT]: every setting of conf/schema.def stands in the manual and in the sample file, and
# nothing else does; every counter has a name of its own and a sentence, and the manual says it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$here/../..}"
if [ ! -d base ]; then
    echo "$PWD: no base/ here; give the root of the source tree" >&2
    exit 64
fi

status=0

# settings_compare FILE PATTERN: PATTERN is the awk pattern of a line that shows a setting.
settings_compare() {
    awk -v shown="$2" -v document="$1" "$(cat "$here/code.awk")"'
    FNR == NR && /^SETTING[(]/ {
        split($0, parts, /[(,][ \t]*/)
        row[parts[3]] = FNR
        next
    }
    FNR != NR && $0 ~ shown {
        match($0, /[a-z][a-z0-9_]*/)
        name = substr($0, RSTART, RLENGTH)
        seen[name] = FNR
        if (!(name in row)) {
            complain("the setting " name " is not in conf/schema.def; write the file anew from it")
        }
    }
    END {
        for (name in row) {
            if (!(name in seen)) {
                complain_at("conf/schema.def", row[name],
                    "the setting " name " is not in " document "; write the file anew from here")
            }
        }
        exit failed
    }
    ' conf/schema.def "$1" || status=1
}

if [ -f conf/schema.def ] && [ -f doc/mxcache.conf.5.scd ]; then
    settings_compare doc/mxcache.conf.5.scd '^[*][a-z][a-z0-9_]*[*] = '
fi
if [ -f conf/schema.def ] && [ -f conf/mxcache.conf ]; then
    settings_compare conf/mxcache.conf '^(# *)?[a-z][a-z0-9_]* =( |$)'
fi

if [ -f doc/mxcache-metrics.7.scd ]; then
    shown=$(mktemp)
    trap 'rm -f "$shown"' EXIT
    sed '1,/^; metrics: begin/d; /^; metrics: end/,$d' doc/mxcache-metrics.7.scd >"$shown"
    if ! "$here/../../doc/metrics" "$PWD" | diff - "$shown"; then
        echo "doc/mxcache-metrics.7.scd:1: differs from the .def files; run doc/generate"
        status=1
    fi
fi

if [ -f doc/mxcache.8.scd ] && [ -f daemon/events.def ]; then
    events=$(mktemp)
    sed '1,/^; events: begin/d; /^; events: end/,$d' doc/mxcache.8.scd >"$events"
    if ! "$here/../../doc/events" "$PWD" | diff - "$events"; then
        echo "doc/mxcache.8.scd:1: differs from the events.def files; run doc/generate"
        status=1
    fi
    rm -f "$events"
fi

# shellcheck disable=SC2016 # The dollars are those of awk.
find base wire mail cache conf resolver daemon doctor setup cmd -name '*metrics.def' 2>/dev/null |
    sort | xargs awk "$(cat "$here/code.awk")"'
function row_check(row,    name, sentence, key) {
    if (row !~ /^METRIC_(COUNTER|GAUGE)[(][a-z][a-z0-9_]*,[ \t]*".*"[)]$/) {
        complain("not a row; write METRIC_COUNTER(name, \"Sentence.\") or METRIC_GAUGE(...)")
        return
    }
    match(row, /[(][a-z0-9_]*,/)
    name = substr(row, RSTART + 1, RLENGTH - 2)
    sentence = row
    sub(/^[^"]*"/, "", sentence)
    sub(/"[)]$/, "", sentence)
    if (sentence !~ /^[A-Z].*[.]$/) {
        complain(name " needs a sentence, with capital and full stop, that says what it counts")
    }
    # The rows of a list are told with its zone, and cannot be taken for others.
    key = (FILENAME ~ /list_metrics.def$/ ? "list_" : "") name
    if (key in place) {
        complain(name " already stands in " place[key])
    }
    place[key] = FILENAME
}

FNR == 1 {
    row = ""
}

/^METRIC_/ {
    row = ""
    in_row = 1
}

in_row {
    sub(/^[ \t]+/, "")
    row = row $0
    if ($0 ~ /[)]$/) {
        row_check(row)
        in_row = 0
    }
}

END {
    exit failed
}
' || status=1
exit $status
