# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2154
#
# `./dev soak`; read by dev, whose functions it uses, in the root of the tree.

# What runs is copied first, so that the tree may be built anew meanwhile.
soak_tools() {
    local place=$1 release=build/release-debug
    local options=(-std=gnu17 -O2 -g -D_GNU_SOURCE -I.)
    local libraries=("$release"/libmx_{mail,wire,base}.a -lm)
    rm -rf "$place"
    mkdir -p "$place/source" "$place/tools"
    cp -a --parents -t "$place/source" tests/live tests/bench tests/soak ./*/*metrics.def
    cp "$release/mxcache" "$place/tools"
    cc "${options[@]}" -o "$place/tools/upstream" \
        tests/bench/{upstream,lines,burst,weather,synth,names}.c "${libraries[@]}"
    cc "${options[@]}" -o "$place/tools/crowd" tests/soak/{crowd,truth}.c \
        tests/bench/{asker,workload,zipf,names,synth}.c "${libraries[@]}"
}

soak_release() {
    say "building release, with what a debugger needs"
    cmake --preset release -B build/release-debug -DCMAKE_C_FLAGS=-g -DCMAKE_RULE_MESSAGES=OFF \
        >build/release-debug.log
    cmake --build build/release-debug -j "$jobs" --target mxcache -- --no-print-directory -s
}

# soak_month [OPTION]...: a month on the simulated network, see tests/sim/month.c.
soak_month() {
    local release=build/release-debug
    mkdir -p build/soak
    cc -std=gnu17 -O2 -g -D_GNU_SOURCE -I. -o build/soak/month tests/sim/month*.c \
        tests/soak/truth.c tests/bench/{names,synth,workload,zipf}.c \
        "$release"/libmx_{resolver,cache,conf,mail,wire,base}.a -lm -lpthread
    say "a month of mail"
    build/soak/month "$@"
}

# Standard output of soak.py has the series' lines, marked with @, and then the report.
soak_sort_out() {
    awk -v place="$1" '
        /^@/ { print substr($0, 2) > (place "/series.tsv"); fflush(); next }
        { print > (place "/report.md"); fflush() }'
}

# soak_daemon [SECONDS [SEED]]: see tests/soak/soak.py.
soak_daemon() {
    local seconds=${1:-7200} seed=${2:-1} place=$PWD/build/soak status=0
    [[ $seconds$seed != *[!0-9]* ]] || fail "soak takes [SECONDS [SEED]], or month [OPTION]..."
    packages_ensure python3 iproute2
    soak_tools "$place"
    say "soaking for $seconds s; series and report come to build/soak"
    nice -n 19 tests/live/pod "$place/pod" "$place/source" "$place/tools" tests/soak/soak.py \
        "$place/tools" "$seconds" "$seed" | soak_sort_out "$place" || status=$?
    cat "$place/report.md"
    say "written to build/soak/report.md"
    return "$status"
}

# cmd_soak [SECONDS [SEED]], or month [OPTION]...
cmd_soak() {
    cmd_setup build
    mkdir -p build
    exec 9>build/soak.lock
    flock -n 9 || fail "a soak is under way in this tree"
    soak_release
    if [ "${1:-}" = month ]; then
        shift
        soak_month "$@"
    else
        soak_daemon "$@"
    fi
}
