# SPDX-License-Identifier: BSD-2-Clause
#
# The counters and gauges of the .def files given, as mxcache-metrics(7) shows them: what stands
# behind a name there is the sentence of its row. POSIX awk.
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
}

in_row && /[)]$/ {
    in_row = 0
    match(row, /[(][a-z0-9_]*,/)
    name = substr(row, RSTART + 1, RLENGTH - 2)
    sentence = row
    sub(/^[^"]*"/, "", sentence)
    sub(/"[)]$/, "", sentence)
    gsub(/\\"/, "\"", sentence)
    printf "*%s*\n\t%s\n\n", name, sentence
}
