# SPDX-License-Identifier: BSD-2-Clause
"""flood.py SOURCE BUILD TOOLS DEBS [OPTION]...: a polite client beside a flood of new questions.

Run by `./dev bench flood` inside a pod (tests/live/pod): loopback only. One process asks what nobody
has asked before, as fast as a core can send (tests/bench/flood.c); a polite client asks what the
server knows. The server has a core, the flood another one, which it shares with the upstream; the
polite client takes what it gets. Tables go to standard output as Markdown, progress to standard
error.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys

import cost
import gauge
import peers
import stage
from stage import live

PROGRAMS = ("upstream", "answers", "flood")
KNOWN = 200  # Questions that the polite client asks in turn.
WARM_ASKS = 3  # Each of them, before the flood.
CALM_S = 2
CACHE_MB = 16
MB = 1 << 20
ERRORS = (live.Failure, OSError, subprocess.SubprocessError)


def polite_run(port, seconds, core, *options):
    """The polite client is started on any core; the flood, its child, would inherit a choice."""
    command = [stage.TOOLS / "flood", "-n", KNOWN, "-t", seconds, *options, f"127.0.0.1@{port}"]
    result = subprocess.run(
        [str(word) for word in command], stdout=subprocess.PIPE, text=True, check=True,
        timeout=seconds + 60, preexec_fn=stage.pinned_to(core),
    )  # fmt: skip
    return json.loads(result.stdout)


def server_measure(server, port, load, options):
    for _ in range(WARM_ASKS):
        load.ask_once(port, "mail", 0, KNOWN)
    rate = ("-r", options.rate)
    calm_s = min(CALM_S, options.seconds)
    found = {"calm": polite_run(port, calm_s, None, "-q")}
    # What grows with its first flood is not the flood's length.
    polite_run(port, calm_s, None, *rate)
    before = gauge.memory_bytes(server.process.pid)
    meter = gauge.Meter(server.process.pid)
    found["flood"] = polite_run(port, options.seconds, None, "-f", 20_000_000, *rate)
    found["cpu"] = meter.read()["cpu_ns"] / 1e9 / options.seconds
    live.expect(server.is_running(), f"it ended: {server.output()[-400:].strip()}")
    found["grown_mb"] = (gauge.memory_bytes(server.process.pid) - before) / MB
    found["held"] = cost.share_held(load, server, port, "mail", KNOWN)
    return found


def place_make(folder, port, upstream):
    return peers.Place(
        folder, port, [upstream], is_tuned=True, room_mb=CACHE_MB, entries=CACHE_MB * 4000,
        extra=f"cache_size = {CACHE_MB}M\n",
    )  # fmt: skip


def server_run(name, place, load, cores, options):
    server = None
    try:
        server = stage.server_start(f"{place.port}-{name}", peers.PEERS[name][1], place, cores)
        found = server_measure(server, place.port, load, options)
    except ERRORS as error:
        found = {"error": " ".join(str(error).split())[-200:]}
    finally:
        if server is not None:
            stage.server_stop(server)
        load.stop()
    return found


def ms(microseconds):
    return f"{microseconds / 1000:.2f}"


def row(name, found):
    if "error" in found:
        return f"| {name} | {found['error']} |" + " |" * 7
    calm, flood = found["calm"], found["flood"]
    asked = flood["answered"] + flood["lost"]
    return (
        f"| {name} | {ms(calm['median_us'])} / {ms(calm['p99_us'])} |"
        f" {flood['flood_a_second'] / 1000:.0f} |"
        f" {ms(flood['median_us'])} / {ms(flood['p99_us'])} / {ms(flood['worst_us'])} |"
        f" {flood['lost']} of {asked} | {flood['failed']} | {found['cpu']:.2f} |"
        f" {found['grown_mb']:+.1f} | {100 * found['held']:.0f} |"
    )


def document(rows, options):
    lines = [
        f"A polite client beside a flood of {options.seconds} s; {KNOWN} known answers, asked"
        f" {WARM_ASKS} times before; cache {CACHE_MB} MB; {os.uname().release},"
        f" {os.cpu_count()} cores.",
        "",
        "| server | calm: median / p99, ms | flood: thousands of new questions a second |"
        " polite: median / p99 / worst, ms | lost after 1 s | failed | cores used |"
        " memory, MB | known answers held after it, % |",
        "|---|---|---|---|---|---|---|---|---|",
        *rows,
    ]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(prog="./dev bench flood", description=__doc__)
    parser.add_argument("--only", type=stage.one_of(list(peers.PEERS)), metavar="SERVER,...")
    parser.add_argument("--seconds", type=int, default=10, help="of the flood (10; 600 for long)")
    parser.add_argument("--rate", type=int, default=0, help="at most so many a second (0: no limit)")
    options = parser.parse_args(sys.argv[5:])
    options.only = options.only or list(peers.PEERS)
    build, tools, debs = map(pathlib.Path, sys.argv[2:5])
    stage.peers_install(debs, options.only)
    stage.tools_install(build, tools, PROGRAMS)
    cores = sorted(os.sched_getaffinity(0))
    rows = []
    for number, name in enumerate(options.only, 1):
        place = place_make(live.LOGS / f"server{number}", stage.PORT_FIRST + number, cost.UPSTREAM)
        load = cost.Load(stage.TOOLS, {cores[0]})
        rows.append(row(name, server_run(name, place, load, {cores[-1]}, options)))
        stage.progress(rows[-1])
    print(document(rows, options))


if __name__ == "__main__":
    main()
