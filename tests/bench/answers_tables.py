# SPDX-License-Identifier: BSD-2-Clause
"""From the results of `./dev bench answers` to Markdown."""

import os

from cost import each_us, median_of
from tables import table

OURS = "mxcache"
FLOOR = "floor"

HEAD = """# What an answer costs, server beside server

{what}.

Questions in the proportions of mail (72 % go to DNS lists), from 8 sockets with 8 questions under way
each, as fast as they are answered. Every server on one core, the generator and the simulated upstream
on another. mxcache does not ask ahead here, so that a hit is a hit. CPU is the server's, from the
kernel's books (schedstat), in microseconds an answer; the median of {runs} runs of {seconds} s, taken
in turns. Load average at the end {load} on {processors} processors; {minutes:.0f} minutes in all."""

NOTE_HITS = """{set_size} distinct questions, all cached, drawn by Zipf's law. The floor is an echo that
reads and writes 64 datagrams at a time. "busy" is the share of its core that a server took: below 100 %
it waited for the generator. "upstream" is the share of questions that it passed on all the same."""

NOTE_MISSES = """Questions never asked before, each to the upstream, which answers at once. The floor
are two echoes: one datagram in and out for the client, and one for the upstream."""

NOTE_MEMORY = """Resident bytes (PSS) with {cached} distinct answers, over those of the same server
empty and with hardly any cache, for each answer that is held: "held" is the share of them that it can
then answer by itself."""

NOTE_ENTRIES = """mxcache alone, all entries asked alike, so that hardly any is found in the processor's
caches. "one read" is what a read costs that depends on the one before it, somewhere in as much memory
(tests/bench/chase.c); "reads" how many such reads would explain what a hit costs more than in the
smallest cache."""

NOTE_RESTART = """mxcache alone, stopped and started again with a snapshot_file. "held" is the share of the
answers that it gives again without asking; "first answer" counts from the end of the old process;
"slowest" is the slowest of new questions while the snapshot is read."""

NOTE_WORKERS = """mxcache alone, on all cores, which it shares with the generator. "busier" is the share
of the busier worker in their processor time."""


def spread(runs):
    values = [each_us(run) for run in runs]
    return f"{min(values):.2f} to {max(values):.2f}"


def one_line(run):
    return (
        f"{each_us(run):.2f} us an answer (by ticks {run['tick_ns'] / 1000 / run['answered']:.2f}), "
        f"{run['answered'] / run['seconds']:.0f} answers/s, busy {100 * busy(run):.0f} %, "
        f"median {run['median_us']} p99 {run['p99_us']} us, {run['lost']} lost, "
        f"{run['failed']} failed, {run['upstream']} upstream"
    )


def memory_line(found):
    if "error" in found:
        return found["error"]
    return f"{found['each']:.0f} bytes an answer, {100 * found['held']:.1f} % held"


def entries_line(found):
    return (
        f"{median_of(found['runs'], each_us):.2f} us a hit, {found['full'] >> 20} MiB resident, "
        f"filled in {found['fill_s']:.0f} s, one read {found['chase_ns']:.1f} ns"
    )


def restart_line(found):
    if "error" in found:
        return found["error"]
    return (
        f"{found['entries']} entries, {found['file'] >> 20} MiB, stopped in {found['stop_s']:.2f} s, "
        f"first answer after {found['answer_s']:.2f} s, loaded in {found['load_ms']} ms, "
        f"{100 * found['held']:.2f} % held, slowest answer {found['worst_us']} us"
    )


def busy(run):
    return run["cpu_ns"] / 1e9 / run["seconds"]


def cost_row(name, runs, floor, best):
    each = median_of(runs, each_us)
    passed = median_of(runs, lambda run: run["upstream"] / run["answered"])
    return [
        name, f"{each:.2f}", spread(runs),
        f"{each / floor:.2f}" if floor else "–",
        f"{each / best:.2f}" if best and name != FLOOR else "–",
        f"{median_of(runs, lambda run: run['answered'] / run['seconds']):.0f}",
        f"{100 * median_of(runs, busy):.0f} %",
        f"{median_of(runs, lambda run: run['median_us']):.0f}",
        f"{median_of(runs, lambda run: run['p99_us']):.0f}",
        str(sum(run["lost"] for run in runs)), str(sum(run["failed"] for run in runs)),
        f"{100 * passed:.1f} %",
    ]  # fmt: skip


def cost_table(rows, floor, best):
    head = ["server", "CPU, µs", "of the runs", "× floor", "× best peer", "answers/s", "busy",
            "p50, µs", "p99, µs", "lost", "failed", "upstream"]  # fmt: skip
    return table(head, [cost_row(name, runs, floor, best) for name, runs in rows.items()])


def best_of(rows):
    values = [median_of(runs, each_us) for name, runs in rows.items() if name not in (OURS, FLOOR)]
    return min(values, default=0)


def memory_cells(found):
    if found is None or "error" in found:
        return ["–", "–"]
    return [f"{found['each']:.0f}", f"{100 * found['held']:.1f} %"]


def stats_bytes(found):
    """By mxcache's own count, for each entry."""
    metrics = found.get("metrics", {})
    entries = metrics.get("cache_entries", 0)
    return metrics["cache_bytes"] / entries if entries else 0


def memory_table(memory):
    names = list(dict.fromkeys(name for _, name in memory))
    head = ["server", "mail mix", "held", "blocklist NXDOMAIN", "held"]
    return table(head, [
        [name, *memory_cells(memory.get(("mail", name))),
         *memory_cells(memory.get(("lists", name)))]
        for name in names
    ])  # fmt: skip


def entries_table(entries):
    head = ["entries", "CPU, µs", "of the runs", "× smallest", "resident, MiB", "one read, ns",
            "reads"]  # fmt: skip
    least = entries[min(entries)]
    least_each = median_of(least["runs"], each_us)
    rows = []
    for count, found in entries.items():
        each = median_of(found["runs"], each_us)
        slower_ns = found["chase_ns"] - least["chase_ns"]
        reads = (each - least_each) * 1000 / slower_ns if slower_ns > 0 else 0
        rows.append([
            f"{count:,}", f"{each:.2f}", spread(found["runs"]), f"{each / least_each:.2f}",
            f"{found['full'] / (1 << 20):.0f}", f"{found['chase_ns']:.1f}", f"{reads:.1f}",
        ])  # fmt: skip
    return table(head, rows)


def busier(run, count):
    """Of the threads that answer, the busiest one's share."""
    spent = run["thread_ns"][:count]
    return spent[0] / max(sum(spent), 1)


def workers_table(workers):
    head = ["client", "workers", "CPU, µs", "of the runs", "× one worker", "busier",
            "answers/s"]  # fmt: skip
    rows = []
    for (lanes, count), runs in workers.items():
        each = median_of(runs, each_us)
        alone = median_of(workers[lanes, 1], each_us)
        rows.append([
            lanes, str(count), f"{each:.2f}", spread(runs), f"{each / alone:.2f}",
            f"{100 * median_of(runs, lambda run: busier(run, count)):.0f} %",
            f"{median_of(runs, lambda run: run['answered'] / run['seconds']):.0f}",
        ])  # fmt: skip
    return table(head, rows)


def restart_table(found):
    head = ["entries", "file, MiB", "stop, s", "first answer, s", "loaded, s", "slowest, ms",
            "held"]  # fmt: skip
    return table(head, [[
        f"{found['entries']:,}", str(found["file"] >> 20), f"{found['stop_s']:.2f}",
        f"{found['answer_s']:.2f}", f"{found['load_ms'] / 1000:.2f}",
        f"{found['worst_us'] / 1000:.1f}", f"{100 * found['held']:.2f} %",
    ]])  # fmt: skip


def runs_of(found, part):
    return {s.name: getattr(s, part) for s in found.get("subjects", []) if getattr(s, part)}


def bars_of(found):
    """(what, found, limit)."""
    hits, misses = runs_of(found, "hits"), runs_of(found, "misses")
    floor = median_of(hits[FLOOR], each_us) if FLOOR in hits else 0
    if OURS in hits:
        each = median_of(hits[OURS], each_us)
        if floor:
            yield "a cached answer × the floor", each / floor, 1.15
        if best_of(hits):
            yield "a cached answer × the best peer", each / best_of(hits), 0.75
    if OURS in misses and floor:
        yield "a miss × two floors", median_of(misses[OURS], each_us) / floor / 2, 1.25
    for kind, what, limit in (("mail", "mail mix", 150), ("lists", "blocklist NXDOMAIN", 100)):
        row = found["memory"].get((kind, OURS), {"error": ""})
        if "error" not in row:
            yield f"bytes an answer, {what}", row["each"], limit
    if len(found["entries"]) > 1:
        each = {n: median_of(row["runs"], each_us) for n, row in found["entries"].items()}
        yield "a hit at most × fewest entries", each[max(each)] / each[min(each)], 1.3
    for lanes in dict.fromkeys(lanes for lanes, _ in found["workers"]):
        pair = [median_of(found["workers"][lanes, count], each_us) for count in (1, 2)]
        yield f"two workers × one, {lanes}", pair[1] / pair[0], 1.1
    if "held" in found.get("restart", {}):
        yield "of the answers lost by a restart, %", 100 * (1 - found["restart"]["held"]), 1
        yield "seconds to load them", found["restart"]["load_ms"] / 1000, 1


def bars(found):
    rows = [[what, f"{value:.2f}", f"{limit:.2f}", "reached" if value <= limit else "**missed**"]
            for what, value, limit in bars_of(found)]  # fmt: skip
    return table(["what", "found", "limit", "verdict"], rows) if rows else ""


def memory_parts(found):
    yield NOTE_MEMORY.format(cached=found["plan"].cached)
    yield memory_table(found["memory"])
    for kind, what in (("mail", "mail mix"), ("lists", "blocklist NXDOMAIN")):
        own = stats_bytes(found["memory"].get((kind, OURS), {}))
        if own:
            yield f"By its own count (cache_bytes), mxcache uses {own:.0f} bytes, {what}."
    for (_, name), row in found["memory"].items():
        if "error" in row:
            yield f"{name} could not be measured: {row['error']}"


def sections(found):
    hits, misses = runs_of(found, "hits"), runs_of(found, "misses")
    floor = median_of(hits[FLOOR], each_us) if FLOOR in hits else 0
    if hits:
        yield "## Hits"
        yield NOTE_HITS.format(set_size=found["plan"].set_size)
        yield cost_table(hits, floor, best_of(hits))
    if misses:
        yield "## Misses"
        yield NOTE_MISSES
        yield cost_table(misses, 2 * floor, best_of(misses))
    for subject in found.get("subjects", []):
        if subject.error:
            yield f"{subject.name} could not be measured: {subject.error}"
    if found["memory"]:
        yield "## Memory"
        yield from memory_parts(found)
    if found["entries"]:
        yield "## The size of the cache"
        yield NOTE_ENTRIES
        yield entries_table(found["entries"])
    if found["workers"]:
        yield "## Two workers"
        yield NOTE_WORKERS
        yield workers_table(found["workers"])
    if "restart" in found:
        yield "## A restart"
        yield NOTE_RESTART
        error = found["restart"].get("error")
        yield f"Could not be measured: {error}" if error else restart_table(found["restart"])
    reached = bars(found)
    if reached:
        yield "## mxcache against its bar"
        yield reached


def document(found, versions, seconds):
    what = ", ".join(f"{name} ({version})" for name, version in versions.items())
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    head = HEAD.format(what=what, runs=found["plan"].runs, seconds=found["plan"].seconds, load=load,
                       processors=os.cpu_count(), minutes=seconds / 60)  # fmt: skip
    return "\n\n".join([head, *sections(found)]) + "\n"
