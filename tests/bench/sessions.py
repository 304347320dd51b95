# SPDX-License-Identifier: BSD-2-Clause
"""sessions.py SOURCE BUILD TOOLS DEBS [OPTION]...: inbound mail sessions, one resolver after another.

Run by `./dev bench sessions` inside a pod (tests/live/pod): loopback only, Debian's servers unpacked
from DEBS into the pod's own overlay. Tables go to standard output as Markdown, progress to standard
error. Every server meets the same sessions and the same luck (tests/bench/weather.h).
"""

import argparse
import dataclasses
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

SOURCE = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(SOURCE / "tests/live"))

import dnswire  # noqa: E402  pylint: disable=wrong-import-position
import live  # noqa: E402  pylint: disable=wrong-import-position
import peers  # noqa: E402  pylint: disable=wrong-import-position
import tables  # noqa: E402  pylint: disable=wrong-import-position

UPSTREAMS = [("127.0.0.2", 5301), ("127.0.0.3", 5301)]
PORT_FIRST = 5311
TOOLS = pathlib.Path("/usr/local/libexec")
READY_LIMIT = 15.0
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
    estimate: float = 30.0  # Seconds a run takes, until one has been seen.


WEATHERS = {
    "calm": Weather(),
    "loss": Weather(upstreams=1, loss=2.0),
    "blackhole": Weather(hole_at=8.0, estimate=40.0),
    "stale": Weather(
        sessions=200, begin=25, end=30, ttl_max=STALE_TTL, is_dead=True, is_warmed=True
    ),
    "cold": Weather(sessions=200, begin=20, end=25, late_ms=4050, is_dead=True),
}
QUICK_SESSIONS = {"calm": 500, "loss": 500, "blackhole": 600, "stale": 80, "cold": 80}
QUICK_HOLE = 2.0


class Upstream(live.Program):
    """The simulated upstream servers, told what to do line by line."""

    def __init__(self, weather, seed):
        addresses = [f"{a}@{p}" for a, p in UPSTREAMS[: weather.upstreams]]
        options = ("-s", seed, "-l", weather.loss, "-t", weather.ttl_max)
        self.name = "upstream"
        self.log = live.add_log(live.LOGS / "upstream.log")
        self.process = subprocess.Popen(
            (TOOLS / "upstream", *map(str, options), *addresses),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        live.expect(self.process.stdout.readline() == "ready\n", "the upstream did not start")

    def tell(self, command):
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def counts(self):
        return json.loads(self.tell("count"))


def server_answers(server, port):
    live.expect(server.is_running(), f"it ended: {server.output()[-400:].strip()}")
    try:
        answer = dnswire.ask_udp(("127.0.0.1", port), "ready.bench", "A", timeout=0.5)
        return answer.rcode == dnswire.NOERROR
    except OSError:
        return False


def server_start(name, weather, number):
    folder = live.LOGS / f"{number}-{name}"
    folder.mkdir()
    port = PORT_FIRST + list(peers.PEERS).index(name)
    place = peers.Place(folder, port, UPSTREAMS[: weather.upstreams])
    server = live.Program(f"{number}-{name}", *peers.command(name, place), cwd=folder)
    try:
        live.wait_until(
            lambda: server_answers(server, port), f"an answer of {name}", READY_LIMIT
        )
    except live.Failure:
        server_stop(server)
        raise
    return server, port


def server_stop(server):
    try:
        server.stop(limit=5.0)
    except live.Failure:
        server.process.kill()
        server.process.wait()


def generator_run(weather, seed, port):
    command = (
        TOOLS / "sessions", "-q", "-n", weather.sessions, "-s", seed, "-t", weather.begin,
        "-x", weather.end, "-l", weather.late_ms, f"127.0.0.1@{port}",
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
    upstream = Upstream(weather, seed)
    try:
        server, port = server_start(name, weather, number)
        try:
            time.sleep(SETTLE)
            return measure(upstream, server, port, weather, seed)
        finally:
            server_stop(server)
    except (live.Failure, OSError, subprocess.SubprocessError) as error:
        return {"error": " ".join(str(error).split())[-300:]}
    finally:
        upstream.stop()


def progress(text):
    print(text, file=sys.stderr, flush=True)


def run_all(names, weathers, seed):
    runs = [(weather, name) for weather in weathers for name in names]
    results = {weather: {} for weather in weathers}
    seen = {}
    for number, (weather, name) in enumerate(runs):
        left = sum(seen.get(w, weathers[w].estimate) for w, _ in runs[number:])
        progress(
            f"[{number + 1}/{len(runs)}] {weather}: {name}; about {left / 60:.1f} min left"
        )
        started = time.monotonic()
        result = run_one(name, weathers[weather], number, seed)
        seen[weather] = time.monotonic() - started
        results[weather][name] = result
        progress("    " + tables.one_line(result))
    return results


def peers_install(debs, names):
    """Unpacks the packages; no maintainer script runs, no daemon starts."""
    live.LOGS.mkdir(mode=0o755, parents=True)
    if set(names) - {"mxcache"}:
        files = sorted(debs.glob("*.deb"))
        live.expect(files, f"no packages in {debs}: run ./dev setup bench")
        environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        live.run_quietly(
            "dpkg", "dpkg", "--force-unsafe-io", "--force-depends", "--unpack", *files,
            env=environment, stdin=subprocess.DEVNULL,
        )  # fmt: skip


def tools_install(build, tools):
    TOOLS.mkdir(parents=True, exist_ok=True)
    shutil.copy2(build / "mxcache", "/usr/local/sbin/mxcache")
    for tool in ("upstream", "sessions"):
        shutil.copy2(tools / tool, TOOLS / tool)
    os.environ["PATH"] = "/usr/local/sbin:" + os.environ["PATH"]


def one_of(known):
    def read(text):
        names = text.split(",")
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"no {name}; there are: {', '.join(known)}")
        return [name for name in known if name in names]

    return read


def arguments_read():
    parser = argparse.ArgumentParser(prog="./dev bench sessions", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few sessions, for trying")
    parser.add_argument("--only", type=one_of(peers.PEERS), metavar="SERVER,...")
    parser.add_argument("--weather", type=one_of(WEATHERS), metavar="WEATHER,...")
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
    peers_install(debs, options.only)
    tools_install(build, tools)
    started = time.monotonic()
    results = run_all(options.only, weathers_of(options), options.seed)
    versions = {name: peers.version(name) for name in options.only}
    print(tables.document(results, versions, options.seed, time.monotonic() - started))


main()
