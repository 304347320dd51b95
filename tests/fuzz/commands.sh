# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# `./dev fuzz` and `./dev coverage`; read by dev, whose functions and lists it uses, in the root of
# the tree.
# shellcheck disable=SC2154 # The lists are dev's.

# fuzz_one SUBJECT SECONDS: true if nothing was found. Options for libFuzzer may stand in
# SUBJECT.options, one a line.
fuzz_one() {
    local subject=$1 seconds=$2 extra=()
    local found=build/fuzz/corpus/$subject
    mkdir -p "$found" build/fuzz/findings
    if [ -f "tests/fuzz/$subject.options" ]; then
        mapfile -t extra <"tests/fuzz/$subject.options"
    fi
    say "fuzzing $subject for $seconds s; new inputs go to $found"
    "build/fuzz/tests/fuzz/fuzz_$subject" -max_total_time="$seconds" -print_final_stats=1 \
        -artifact_prefix="build/fuzz/findings/$subject-" -timeout=10 -rss_limit_mb=2048 \
        "${extra[@]}" "$found" "tests/fuzz/corpus/$subject"
}

fuzz_subjects() {
    local file
    for file in tests/fuzz/fuzz_*.c; do
        basename "$file" .c | sed 's/^fuzz_//'
    done
}

cmd_fuzz() {
    local subjects=() subject failed=() verb=run
    mapfile -t subjects < <(fuzz_subjects)
    if [ "${1:-}" = merge ]; then
        verb=merge
        shift
    elif [ $# -gt 0 ] && [[ $1 != *[!0-9]* ]]; then
        set -- all "$@"
    fi
    if [ "${1:-all}" != all ]; then
        [ -f "tests/fuzz/fuzz_$1.c" ] || fail "no such target; there are: ${subjects[*]}"
        subjects=("$1")
    fi
    cmd_setup fuzz
    build_preset fuzz --target "${subjects[@]/#/fuzz_}"
    for subject in "${subjects[@]}"; do
        if [ "$verb" = merge ]; then
            fuzz_merge "$subject"
        else
            fuzz_one "$subject" "${2:-60}" || failed+=("$subject")
        fi
    done
    if [ "${#failed[@]}" -gt 0 ]; then
        fail "findings in build/fuzz/findings, of: ${failed[*]}"
    fi
    if [ "$verb" = run ]; then
        say "no findings"
    fi
}

# fuzz_merge SUBJECT: beside the seeds that have names, the least of what was found, now and before,
# that reaches all of it. Longer inputs are not worth their place in the tree.
fuzz_merge() {
    local subject=$1 kept=tests/fuzz/corpus/$1 found=build/fuzz/corpus/$1 log=build/fuzz/merge.log
    mkdir -p "$found"
    find "$kept" -maxdepth 1 -type f -regextype posix-extended -regex '.*/[0-9a-f]{40}' \
        -exec mv -t "$found" {} +
    "build/fuzz/tests/fuzz/fuzz_$subject" -merge=1 -max_len=4096 "$kept" "$found" >"$log" 2>&1 || {
        tail -n 20 "$log" >&2
        fail "merging $subject failed; what was kept of it lies in $found"
    }
    say "$subject: $(find "$kept" -type f | wc -l) inputs kept"
}

# Everything but the live tests, which need a network of their own; what they reach comes on top.
cmd_coverage() {
    packages_ensure "${packages_build[@]}" "${packages_test[@]}"
    build_preset coverage
    find build/coverage -name '*.gcda' -delete
    ctest --test-dir build/coverage --output-on-failure -j 2 -L 'unit|sim|fuzz'
    python3 -B tests/coverage.py . build/coverage
}
