# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# `./dev bench`; read by dev, whose functions and lists it uses, in the root of the tree.

# The servers that the bench measures beside mxcache; unpacked in the same manner.
packages_peers=(unbound dnsdist knot-resolver pdns-recursor bind9 dnsmasq-base smartdns)
peers_debs=build/bench/debs

peers_ensure() {
    debs_ensure "$peers_debs" "${packages_peers[@]}"
}

# The bench's tools, built without the tests.
bench_tools() {
    local tools=build/bench release=build/release
    local options=(-std=gnu17 -O2 -D_GNU_SOURCE -I.)
    say "building the bench"
    cc "${options[@]}" -o "$tools/upstream" \
        tests/bench/{upstream,lines,burst,weather,synth,names}.c \
        "$release/libmx_mail.a" "$release/libmx_wire.a" "$release/libmx_base.a" -lm
    cc "${options[@]}" -o "$tools/sessions" \
        tests/bench/{sessions,asker,workload,zipf,names,tally}.c \
        "$release/libmx_wire.a" "$release/libmx_base.a" -lm
    cc "${options[@]}" -o "$tools/policy" \
        tests/bench/{policy*,zipf,names}.c \
        "$release/libmx_cache.a" "$release/libmx_wire.a" "$release/libmx_base.a" -lm -lpthread
    cc "${options[@]}" -o "$tools/answers" \
        tests/bench/{answers,volley,deck,mix,zipf,names}.c \
        "$release/libmx_wire.a" "$release/libmx_base.a" -lm
    cc "${options[@]}" -o "$tools/flood" tests/bench/{flood,mix,names}.c \
        "$release/libmx_wire.a" "$release/libmx_base.a" -lm
    cc "${options[@]}" -o "$tools/echo" tests/bench/echo.c \
        "$release/libmx_wire.a" "$release/libmx_base.a"
    cc "${options[@]}" -o "$tools/chase" tests/bench/chase.c "$release/libmx_base.a"
}

# The bench that asks without sockets, twice: as the tree is, and counting nothing.
bench_observe_tools() {
    local tools=build/bench release=build/release
    local options=(-std=gnu17 -O2 -D_GNU_SOURCE)
    local sources=(tests/bench/{hit,house,synth,names}.c resolver/*.c cache/*.c)
    local libraries=("$release"/libmx_{conf,mail,wire,base}.a -lm -lpthread)
    cc "${options[@]}" -I. -o "$tools/hit" "${sources[@]}" "${libraries[@]}"
    cc "${options[@]}" -Itests/bench/mute -I. -o "$tools/hit_mute" "${sources[@]}" "${libraries[@]}"
}

# bench_observe [OPTION]...: what counting costs; see tests/bench/observe.py.
bench_observe() {
    bench_observe_tools
    python3 -B tests/bench/observe.py "$PWD/build/bench" "$@"
}

# bench_policy [OPTION]...: which entries to keep; see tests/bench/policy.c.
bench_policy() {
    build/bench/policy "$@"
}

# bench_servers SUBJECT [OPTION]...: servers side by side in a pod; see tests/bench/SUBJECT.py.
bench_servers() {
    local subject=$1
    shift
    tests/live/pod "$PWD/build/bench/pod" "$PWD" "$PWD/build/release" "tests/bench/$subject.py" \
        "$PWD/build/bench" "$PWD/$peers_debs" "$@"
}

# bench_one SUBJECT [OPTION]...
bench_one() {
    local subject=$1 result=build/bench/$1.md
    shift
    case $subject in
    policy) bench_policy "$@" >"$result.new" ;;
    observe) bench_observe "$@" >"$result.new" ;;
    *) bench_servers "$subject" "$@" >"$result.new" ;;
    esac
    mv "$result.new" "$result"
    cat "$result"
    say "written to $result"
}

bench_usage() {
    cat <<'USAGE'
./dev bench answers [OPTION]...    what an answer costs, hit or miss, in processor time and memory
./dev bench sessions [OPTION]...   mail sessions through mxcache and its peers, in five weathers
./dev bench policy [OPTION]...     hit ratios of policies of eviction on a day of mail
./dev bench observe [OPTION]...    what counting and timing costs per cached answer
./dev bench flood [OPTION]...      a polite client beside a flood of new questions
./dev bench all                    all of these, one after the other: about 45 min

Results are kept in build/bench/; the first three tell their options with --help.
USAGE
}

# bench_setup SUBJECT
bench_setup() {
    if [ "$1" = policy ]; then
        cmd_setup build
    elif [ "$1" = observe ]; then
        cmd_setup build
        packages_ensure python3 valgrind
    else
        cmd_setup bench
    fi
    build_preset release
    mkdir -p build/bench
    bench_tools
}

cmd_bench() {
    local subject=${1:-}
    shift || true
    if [[ $subject == @(sessions|answers|flood) && " $* " == *' --help '* ]]; then
        exec python3 -B "tests/bench/$subject.py" "$PWD" - - - --help
    fi
    case $subject in
    '') bench_usage ;;
    sessions | answers | flood | policy | observe)
        bench_setup "$subject"
        bench_one "$subject" "$@"
        ;;
    all)
        [ $# = 0 ] || fail "bench all takes no options"
        bench_setup all
        for subject in answers sessions flood policy observe; do
            bench_one "$subject"
        done
        ;;
    *) fail "no such bench: $subject; there are: answers, sessions, flood, policy, observe, all" ;;
    esac
}
