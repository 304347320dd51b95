# SPDX-License-Identifier: BSD-2-Clause
"""sessions.py SOURCE BUILD TOOLS DEBS [OPTION]...: inbound mail sessions, one resolver after another.

Run by `./dev bench sessions` inside a pod (tests/live/pod): loopback only, Debian's servers unpacked
from DEBS into the pod's own overlay. Tables go to standard output as Markdown, progress to standard
error. Every server meets the same sessions and the same luck (tests/bench/weather.h).
"""

import argparse
import dataclasses
import json
import pathlib
import subprocess
import sys
import time

import cost
import peers
import stage
import tables
from stage import live

UPSTREAMS = [("127.0.0.2", 5301), ("127.0.0.3", 5301)]
OURS = "mxcache"
STALE_TTL = 5  # Seconds: some servers keep nothing shorter.
SETTLE = 1.0  # After start, before anything is counted.


@dataclasses.dataclass
class Weather:
    """What a run is made of. `begin` and `end` bound it, in seconds (sessions -t and -x)."""

    upstreams: int = 2
    sessions: int = 2500
    begin: int = 60
    end: int = 90
    late_ms: int = 450
    loss: float = 0.0
    ttl_max: int = 86400
    hole_at: float = None  # Seconds after the start.
    is_dead: bool = False
    is_warmed: bool = False
    is_foreseen: bool = False
    estimate: float = 30.0  # Seconds a run takes, until one has been seen.


WEATHERS = {
    "calm": Weather(),
    "foreseen": Weather(is_foreseen=True),
    "single": Weather(upstreams=1),
    "loss": Weather(upstreams=1, loss=2.0),
    "blackhole": Weather(hole_at=8.0, estimate=40.0),
    "stale": Weather(
        sessions=200, begin=25, end=30, ttl_max=STALE_TTL, is_dead=True, is_warmed=True
    ),
    "cold": Weather(sessions=200, begin=20, end=25, late_ms=4050, is_dead=True),
}
QUICK_SESSIONS = {"calm": 500, "single": 500, "foreseen": 500, "loss": 500, "blackhole": 600, "stale": 80, "cold": 80}
QUICK_HOLE = 2.0


def upstream_start(weather, seed):
    options = ("-s", seed, "-l", weather.loss, "-t", weather.ttl_max)
    return stage.Upstream(stage.TOOLS / "upstream", options, UPSTREAMS[: weather.upstreams])


def server_start(name, weather, number):
    port = stage.PORT_FIRST + list(peers.PEERS).index(name)
    place = peers.Place(live.LOGS / f"{number}-{name}", port, UPSTREAMS[: weather.upstreams])
    return stage.server_start(f"{number}-{name}", peers.PEERS[name][1], place), port


def generator_run(weather, seed, port):
    command = (
        stage.TOOLS / "sessions", "-q", "-n", weather.sessions, "-s", seed, "-t", weather.begin,
        "-x", weather.end, "-l", weather.late_ms, *(["-p"] if weather.is_foreseen else []),
        f"127.0.0.1@{port}",
    )  # fmt: skip
    result = subprocess.run(
        [str(word) for word in command],
        stdout=subprocess.PIPE, text=True, timeout=weather.end + 30, check=True,
    )  # fmt: skip
    return json.loads(result.stdout)


def cache_warm(weather, seed, port):
    """All that will be asked is asked once, and expires."""
    generator_run(dataclasses.replace(weather, begin=60, end=60), seed, port)
    time.sleep(STALE_TTL + 1.5)


def datagrams_dropped():
    """By full receive buffers, in the whole pod: whoever was too slow to read."""
    lines = pathlib.Path("/proc/net/snmp").read_text().splitlines()
    names, values = (line.split() for line in lines if line.startswith("Udp:"))
    return int(values[names.index("RcvbufErrors")])


def measure(upstream, server, port, weather, seed):
    if weather.is_warmed:
        cache_warm(weather, seed, port)
    if weather.is_dead:
        upstream.tell("dead")
    upstream.tell("reset")
    if weather.hole_at is not None:
        upstream.tell(f"blackhole {weather.hole_at}")
    dropped = datagrams_dropped()
    result = generator_run(weather, seed, port)
    result["dropped"] = datagrams_dropped() - dropped
    result["upstream"] = upstream.counts()
    live.expect(server.is_running(), f"it ended under load: {server.output()[-400:].strip()}")
    return result


def run_one(name, weather, number, seed):
    """The result, or {"error": sentence}: one server's trouble must not end the others' runs."""
    upstream = upstream_start(weather, seed)
    try:
        server, port = server_start(name, weather, number)
        try:
            time.sleep(SETTLE)
            result = measure(upstream, server, port, weather, seed)
            if name == OURS:
                socket = live.LOGS / f"{number}-{name}" / "control.sock"
                result["metrics"] = cost.metrics_read(socket)
            return result
        finally:
            stage.server_stop(server)
    except (live.Failure, OSError, subprocess.SubprocessError) as error:
        return {"error": " ".join(str(error).split())[-300:]}
    finally:
        upstream.stop()


def run_all(names, weathers, seed):
    runs = [(weather, name) for weather in weathers for name in names]
    results = {weather: {} for weather in weathers}
    seen = {}
    for number, (weather, name) in enumerate(runs):
        left = sum(seen.get(w, weathers[w].estimate) for w, _ in runs[number:])
        stage.progress(
            f"[{number + 1}/{len(runs)}] {weather}: {name}; about {left / 60:.1f} min left"
        )
        started = time.monotonic()
        result = run_one(name, weathers[weather], number, seed)
        seen[weather] = time.monotonic() - started
        results[weather][name] = result
        stage.progress("    " + tables.one_line(result))
    return results


def arguments_read():
    parser = argparse.ArgumentParser(prog="./dev bench sessions", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few sessions, for trying")
    parser.add_argument("--only", type=stage.one_of(peers.PEERS), metavar="SERVER,...")
    parser.add_argument("--weather", type=stage.one_of(WEATHERS), metavar="WEATHER,...")
    parser.add_argument("--sessions", type=int, help="in a run")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(sys.argv[5:])
    options.only = options.only or (["mxcache", "unbound"] if options.quick else list(peers.PEERS))
    if options.weather is None:
        options.weather = ["calm", "loss", "blackhole"] if options.quick else list(WEATHERS)
    return options


def weathers_of(options):
    weathers = {}
    for name in options.weather:
        weather = WEATHERS[name]
        if options.quick:
            hole_at = None if weather.hole_at is None else QUICK_HOLE
            weather = dataclasses.replace(
                weather, sessions=QUICK_SESSIONS[name], hole_at=hole_at, estimate=12.0
            )
        if options.sessions:
            weather = dataclasses.replace(weather, sessions=options.sessions)
        weathers[name] = weather
    return weathers


def main():
    build, tools, debs = map(pathlib.Path, sys.argv[2:5])
    options = arguments_read()
    stage.peers_install(debs, options.only)
    stage.tools_install(build, tools, ("upstream", "sessions"))
    started = time.monotonic()
    results = run_all(options.only, weathers_of(options), options.seed)
    versions = {name: peers.version(name) for name in options.only}
    print(tables.document(results, versions, options.seed, time.monotonic() - started))


main()
