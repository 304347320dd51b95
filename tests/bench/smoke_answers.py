#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""smoke_answers.py SOURCE BUILD TOOLS: does `./dev bench answers` still work? Tiny runs against mxcache.

No time is judged, for the machine may be busy; but what has to come out of the cache must, and what
has to go upstream too.
"""

import os
import pathlib
import sys
import tempfile

sys.dont_write_bytecode = True

import answers_tables  # noqa: E402
import cost  # noqa: E402
import peers  # noqa: E402
import stage  # noqa: E402
from ports import port_free  # noqa: E402
from stage import live  # noqa: E402

# Some names are asked for by two types, and one denial serves both.
MOST = 0.98

PLAN = cost.Plan(runs=1, seconds=1, set_size=300, cached=1000, entries=(200, 400), draws=5000, misses=5000)


def echo_start(tools):
    port = port_free()
    server = live.Program("floor", tools / "echo", f"127.0.0.1@{port}")
    server.wait_for_output("ready")
    return server, port


def mxcache_start(upstream):
    place = peers.Place(live.LOGS / f"mxcache-{port_free()}", port_free(), [upstream],
        extra="ahead = no\n")  # fmt: skip
    return stage.server_start("mxcache", peers.mxcache, place), place


def check_sane(run):
    live.expect(run["failed"] == 0 and run["strange"] == 0, f"not all is well: {run}")
    live.expect(run["cpu_ns"] > 0, f"it cost nothing: {run}")
    live.expect(sum(run["thread_ns"]) == run["cpu_ns"], f"threads are missing: {run}")
    live.expect(run["median_us"] <= run["p99_us"] <= run["worst_us"], f"no order: {run}")


def check_floor(load, tools):
    floor, port = echo_start(tools)
    try:
        run = cost.hits_run(load, floor, port, PLAN, 0)
        check_sane(run)
        live.expect(run["upstream"] == 0, f"the echo asks: {run}")
        return run
    finally:
        stage.server_stop(floor)


def check_hits(load, server, port):
    cost.hits_warm(load, port, PLAN)
    run = cost.hits_run(load, server, port, PLAN, 0)
    check_sane(run)
    live.expect(run["answered"] > 0 and run["upstream"] == 0, f"not all were hits: {run}")
    return run


def check_misses(load, server, port):
    run = cost.misses_run(load, server, port, PLAN, 0)
    check_sane(run)
    live.expect(run["upstream"] >= MOST * run["answered"] > 0, f"not all were misses: {run}")
    return run


def check_memory(load, upstream):
    found = {}
    for kind in ("mail", "lists"):
        server, place = mxcache_start(upstream)
        try:
            row = cost.memory_run(load, server, place.port, kind, PLAN.cached)
            row["each"] = row["full"] / PLAN.cached
            live.expect(row["held"] >= MOST, f"not all is held: {row}")
            row["metrics"] = cost.metrics_read(place.folder / "control.sock")
            own = row["metrics"]["cache_entries"]
            live.expect(own >= MOST * PLAN.cached, f"of {PLAN.cached} answers it has {own}")
            found[kind, "mxcache"] = row
        finally:
            stage.server_stop(server)
    return found


def check_restart(load, upstream):
    server, place = mxcache_start(upstream)
    stage.server_stop(server)
    place.snapshot = str(live.LOGS / "snapshot")
    found = cost.restart_run(
        load,
        lambda: (stage.server_start("restart", peers.mxcache, place), place.port),
        lambda: cost.metrics_read(place.folder / "control.sock"),
        PLAN.cached,
    )
    live.expect(found["held"] >= MOST, f"the restart has lost something: {found}")
    return {**found, "file": 1}


def check_document(found):
    text = answers_tables.document(found, {"mxcache": "this tree"}, 1)
    for title in ("Hits", "Misses", "Memory", "size of the cache", "Two workers", "A restart", "its bar"):
        live.expect(title in text, f"{title} is missing in\n{text}")


def main():
    build, tools = map(pathlib.Path, sys.argv[2:4])
    live.MXCACHE = build / "mxcache"
    os.environ["PATH"] = f"{build}:{os.environ['PATH']}"
    upstream = ("127.0.0.1", port_free())
    with tempfile.TemporaryDirectory() as folder:
        live.LOGS = pathlib.Path(folder)
        load = cost.Load(tools, None, upstream=upstream)
        server, place = mxcache_start(upstream)
        port = place.port
        try:
            floor = cost.Subject("floor", hits=[check_floor(load, tools)])
            ours = cost.Subject("mxcache", hits=[check_hits(load, server, port)])
            ours.misses.append(check_misses(load, server, port))
            entries = {n: cost.entries_run(load, server, port, PLAN, n) for n in PLAN.entries}
            for row in entries.values():
                row["chase_ns"] = cost.chase_run(tools, None, row["full"])
            check_document({
                "plan": PLAN, "subjects": [floor, ours], "entries": entries,
                "memory": check_memory(load, upstream),
                "restart": check_restart(load, upstream),
                "workers": {("1 socket", count): ours.hits for count in (1, 2)},
            })  # fmt: skip
        finally:
            stage.server_stop(server)
            load.stop()


main()
