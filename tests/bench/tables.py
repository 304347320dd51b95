# SPDX-License-Identifier: BSD-2-Clause
"""From the results of `./dev bench sessions` to Markdown."""

import os

TITLES = {
    "calm": "Calm: two upstreams, nothing is lost",
    "foreseen": "Calm, asked by a prophet: all questions of a session at once",
    "single": "Calm: one upstream, nothing is lost",
    "loss": "2 % loss, one upstream",
    "blackhole": "One of two upstreams becomes a black hole in mid-run",
    "stale": "Both upstreams dead, the cache warm but expired",
    "cold": "Both upstreams dead, the cache cold",
}
DEAD = ("stale", "cold")

HEAD = """# Inbound sessions, one resolver after another

{what}.

Times are milliseconds. The DNS wait of a session is the sum of its steps' waits; a parallel step
counts its slowest question. A lookup has failed when no answer came or SERVFAIL, to the last try. Seed
{seed}; load average at the end {load} on {processors} processors; {minutes:.0f} minutes in all."""

NOTE_LIVE = """"× calm" compares with the same server's calm run. "upstream" are the questions of the whole
run; "extra" compares them, for each question of a client, with the least of this table; "again" is the
share of them that had been asked before; "later" is the median of the second half of the sessions, for
which the first half has filled caches and habits; "dropped" are datagrams lost to full receive buffers of
whoever was too slow to read them. A run begins no session after a minute, so a slow server has
fewer."""

NOTE_DEAD = """Times are those of single questions, from the first try to the answer or to the last
try's time-out. "late" counts those above {late} ms, "silent" those without any answer. Upstream tries
are per second and server: on average, from the fourth second on ("settled"), and in the busiest
second."""

LATE = {"stale": 450, "cold": 4050}

# Who asks all upstreams at once pays for speed with twice the questions.
FRUGAL = 1.25


def table(head, rows):
    """Markdown, the first column to the left and numbers to the right."""
    cells = [head, *rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]

    def line(row):
        first, *others = (cell.ljust(width) if i == 0 else cell.rjust(width)
                          for i, (cell, width) in enumerate(zip(row, widths)))  # fmt: skip
        return "| " + " | ".join([first, *others]) + " |"

    rule = ["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])]
    return "\n".join([line(head), "|" + "|".join(rule) + "|", *map(line, rows)])


def number(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"


def ratio(value, base):
    return f"{value / base:.2f}" if base else "–"


def load_of(result):
    """Questions upstream for each question of a client."""
    return result["upstream"]["total"] / max(result["answered"], 1)


def live_rows(results, calm):
    good = {name: result for name, result in results.items() if "error" not in result}
    least = min((load_of(result) for result in good.values()), default=0)
    rows = []
    for name, result in results.items():
        if "error" in result:
            rows.append([name, *["–"] * 13])
            continue
        base = calm.get(name, {})
        extra = 100 * (load_of(result) / least - 1) if least else 0
        upstream = result["upstream"]
        again = 100 * (1 - upstream["distinct"] / max(upstream["total"], 1))
        rows.append([
            name, str(result["sessions"]), str(result["failed"]),
            *(number(result[key]) for key in ("mean_ms", "median_ms", "p99_ms", "worst_ms")),
            number(result["later"]["median_ms"]),
            ratio(result["mean_ms"], base.get("mean_ms")),
            ratio(result["p99_ms"], base.get("p99_ms")),
            str(upstream["total"]), f"{extra:.1f} %", f"{again:.1f} %",
            str(result["dropped"]),
        ])  # fmt: skip
    return rows


def live_table(results, calm):
    head = ["server", "sessions", "failed", "mean", "median", "p99", "worst", "later",
            "mean × calm", "p99 × calm", "upstream", "extra", "again",
            "dropped"]  # fmt: skip
    return table(head, live_rows(results, calm))


def dead_rows(results):
    rows = []
    for name, result in results.items():
        if "error" in result:
            rows.append([name, *["–"] * 10])
            continue
        answer = result["answer"]
        rows.append([
            name, str(result["answered"]), str(result["failed"]), str(result["silent"]),
            str(result["late"]),
            *(number(answer[key]) for key in ("median_ms", "p99_ms", "worst_ms")),
            f"{rate_of(result):.1f}", f"{settled_of(result):.1f}",
            str(max(result["upstream"]["peak"])),
        ])  # fmt: skip
    return rows


def dead_table(results):
    head = ["server", "answers", "failed", "silent", "late", "median", "p99", "worst",
            "tries/s", "settled", "peak"]  # fmt: skip
    return table(head, dead_rows(results))


def errors(results):
    return [f"{name} could not be measured: {result['error']}"
            for name, result in results.items() if "error" in result]  # fmt: skip


def rate_of(result):
    """Tries upstream, a second and server."""
    upstream = result["upstream"]
    return upstream["total"] / len(upstream["questions"]) / max(result["seconds"], 1)


def settled_of(result):
    """The same from the fourth second on, when it is known that nobody answers."""
    upstream = result["upstream"]
    seconds = max(result["seconds"] - 3, 1)
    return sum(upstream["settled"]) / len(upstream["questions"]) / seconds


def bars_calm(weather, ours, peers):
    """(weather, what, found, limit) for the comparison with the peers."""
    if not peers:
        return
    least = min(map(load_of, peers))
    frugal = [row for row in peers if load_of(row) <= FRUGAL * least]
    groups = {"the best peer": peers}
    if min(row["mean_ms"] for row in peers) < min(row["mean_ms"] for row in frugal):
        groups["the best that asks at most 25 % more than the least"] = frugal
    for words, rows in groups.items():
        best = min(row["median_ms"] for row in rows)
        best_later = min(row["later"]["median_ms"] for row in rows)
        yield weather, f"mean, ms, against {words}", ours["mean_ms"], min(row["mean_ms"] for row in rows)
        yield weather, f"median × {words}", ours["median_ms"] / best, 0.55
        yield weather, "... of the later half", ours["later"]["median_ms"] / best_later, 0.5
    yield weather, "questions upstream × the least of the peers", load_of(ours) / least, 1.15
    yield weather, "extra upstream questions, %", 100 * (load_of(ours) / least - 1), 3
    asked = ours.get("metrics", {}).get("fetches_ahead", 0)
    if asked:
        used = ours["metrics"]["fetches_ahead_used"]
        yield weather, "asked ahead and never used, %", 100 * (1 - used / asked), 15


def bars_of(found, peers_of):
    calm = found.get("calm")
    for weather in found:
        if weather != "cold":
            yield weather, "failed lookups", found[weather]["failed"], 0
    for weather in ("calm", "single"):
        if weather in found:
            yield from bars_calm(weather, found[weather], peers_of[weather])
    if calm and "loss" in found:
        yield "loss", "mean × calm", found["loss"]["mean_ms"] / calm["mean_ms"], 1.15
    for weather in ("loss", "blackhole"):
        if calm and weather in found:
            yield weather, "p99 × calm", found[weather]["p99_ms"] / calm["p99_ms"], 1.3
    if "blackhole" in found:
        yield "blackhole", "worst session, ms", found["blackhole"]["worst_ms"], 1000
    for weather, late in LATE.items():
        if weather in found:
            yield weather, "worst answer, ms", found[weather]["answer"]["worst_ms"], late
    if "cold" in found:
        yield "cold", "tries a second and server", rate_of(found["cold"]), 2
        yield "cold", "... from the fourth second on", settled_of(found["cold"]), 2


def bars(results):
    """What is to be reached, and whether mxcache has; empty when it was not measured."""
    found = {weather: rows.get("mxcache", {}) for weather, rows in results.items()}
    found = {weather: row for weather, row in found.items() if row and "error" not in row}
    peers = {
        weather: [row for name, row in rows.items() if name != "mxcache" and "error" not in row]
        for weather, rows in results.items()
    }
    rows = [[weather, what, f"{value:.2f}", f"{limit:.2f}",
             "reached" if value <= limit else "**missed**"]
            for weather, what, value, limit in bars_of(found, peers)]  # fmt: skip
    return table(["weather", "what", "found", "limit", "verdict"], rows) if rows else ""


def one_line(result):
    if "error" in result:
        return result["error"]
    shares = " + ".join(map(str, result["upstream"]["questions"]))
    return (
        f"{result['sessions']} sessions in {result['seconds']:.0f} s, {result['failed']} failed, "
        f"wait mean {number(result['mean_ms'])} median {number(result['median_ms'])} "
        f"p99 {number(result['p99_ms'])} worst {number(result['worst_ms'])} ms, "
        f"worst answer {number(result['answer']['worst_ms'])} ms, "
        f"{shares} upstream, {result['dropped']} datagrams dropped"
    )


def document(results, versions, seed, seconds):
    what = ", ".join(f"{name} ({version})" for name, version in versions.items())
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    parts = [HEAD.format(what=what, seed=seed, load=load, processors=os.cpu_count(),
                         minutes=seconds / 60)]  # fmt: skip
    calm = {name: row for name, row in results.get("calm", {}).items() if "error" not in row}
    if any(weather not in DEAD for weather in results):
        parts.append(NOTE_LIVE)
    for weather, rows in results.items():
        parts.append(f"## {TITLES[weather]}")
        if weather in DEAD:
            parts.append(NOTE_DEAD.format(late=LATE[weather]))
            parts.append(dead_table(rows))
        else:
            parts.append(live_table(rows, calm))
        parts.extend(errors(rows))
    reached = bars(results)
    if reached:
        parts.append("## mxcache against its bar")
        parts.append(reached)
    return "\n\n".join(parts) + "\n"
