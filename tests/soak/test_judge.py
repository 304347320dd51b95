#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""test_judge.py SOURCE: the soak's judge lets a good daemon pass, and none of these others."""

import copy
import sys

import judge

SECONDS = 7200


def expect(condition, what):
    if not condition:
        sys.exit(f"test_judge.py: {what}")


def row_of(count):
    wait = {"count": count, "max_us": 4_000_000, "buckets": [{"le_us": 5, "count": count}]}
    return {"count": count, **dict.fromkeys(judge.WAYS, 0), "hit": count, "wait": wait}


def stats_good():
    metrics = {
        "questions": 103, "questions_dropped": 2, "questions_waiting": 1, "answers_noerror": 70,
        "answers_nxdomain": 20, "answers_servfail": 9, "answers_other": 1, "udp_received": 90,
        "tcp_received": 13, "udp_sent": 87, "udp_unsent": 1, "tcp_sent": 11, "tcp_unsent": 1,
        "upstream_sent": 50, "cache_bytes": 10, "cache_bytes_max": 10, "ahead_asked_mx_a": 3,
    }  # fmt: skip
    outcomes = {way: row_of(0) for way in judge.WAYS} | {"hit": row_of(100)}
    server = {"address": "a", "sent": 50, "answered": 49, "failed": 1, "timed_out": 9, "lost": 0}
    return {
        "metrics": metrics, "classes": {"a": row_of(100)}, "outcomes": outcomes,
        "upstreams": [server], "lists": [], "ahead": {"mx_a": {"asked": 3}},
    }  # fmt: skip


def found_in(stats):
    return judge.check_sums(stats, 0) + list(judge.check_bounds(stats, 4_000_000))


def check_each_number():
    """Whichever number is changed, some sum does not agree any more."""
    expect(not found_in(stats_good()), f"a good one: {found_in(stats_good())}")
    for name in stats_good()["metrics"]:
        stats = stats_good()
        stats["metrics"][name] += 1 if name != "cache_bytes_max" else -1
        expect(found_in(stats), f"one more of {name} went unnoticed")
    for path in (("classes", "a", "hit"), ("classes", "a", "count"), ("outcomes", "hit", "count")):
        stats = stats_good()
        stats[path[0]][path[1]][path[2]] += 1
        expect(found_in(stats), f"one more of {path} went unnoticed")
    late = stats_good()
    late["outcomes"]["miss"]["wait"]["max_us"] = 5_000_000
    expect(found_in(late), "a question that waited too long went unnoticed")
    talkative = stats_good()
    talkative["upstreams"][0]["answered"] = 51
    expect(found_in(talkative), "more replies than messages went unnoticed")


def check_growth():
    before = judge.counters_of(stats_good(), {"questions_waiting", "cache_bytes"})
    now = copy.deepcopy(before)
    expect(not judge.check_growth(before, now), "standing still is allowed")
    now["questions"] -= 1
    expect(len(judge.check_growth(before, now)) == 1, "a counter ran backwards, unnoticed")
    expect("questions_waiting" not in before, "what may sink is watched")


def memory(sizes_at):
    cache = {"cache_bytes": 990, "cache_bytes_max": 1000}
    series = [{"time": float(t), "rss_kb": sizes_at(t), **cache} for t in range(0, SECONDS, 10)]
    for row in series[int(SECONDS * judge.WARM_UP) // 10 :][:100]:
        row.update(rss_kb=20000, cache_bytes=500)  # Flushed, and not yet full again.
    return list(judge.Memory(series, SECONDS).findings())


def check_memory():
    warm = SECONDS * judge.WARM_UP
    expect(not memory(lambda t: 30000 if t < warm else 40000), "the warm-up does not count")
    expect(not memory(lambda t: 40000 + t % 60 * 50), "it may go up and down")
    expect(memory(lambda t: 40000 + t * 0.25), "a leak of 1 MB an hour went unnoticed")
    expect(memory(lambda t: 40000 - t * 0.25), "so did what was lost")


def main():
    check_each_number()
    check_growth()
    check_memory()
    gauges = judge.gauges_read(sys.argv[1])
    expect("questions_waiting" in gauges and "questions" not in gauges, f"no gauges: {gauges}")


main()
