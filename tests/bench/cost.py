# SPDX-License-Identifier: BSD-2-Clause
"""What answers cost: the runs of which `./dev bench answers` is made, for one server at a time.

The server under measurement has a core to itself; the generator and the simulated upstream share
another. Every figure of a server is the kernel's own count for that process.
"""

import dataclasses
import json
import pathlib
import statistics
import subprocess
import time

import gauge
import stage
from stage import live

UPSTREAM = ("127.0.0.2", 5301)
TTL_S = 3600  # Of all answers: nothing expires while it is measured, and no server's cap cuts it.
WARM_LIMIT = 300
MISS_FIRST = 100_000_000  # From here on are the numbers of the mix that nobody has asked.
ASK_CHUNK = 1_000_000
SETTLE = 0.3
SAMPLE = 50_000
RESTART_LIMIT = 60.0


@dataclasses.dataclass
class Plan:
    """How much is measured."""

    runs: int = 5
    seconds: int = 2
    set_size: int = 20_000  # Distinct questions of the hits.
    cached: int = 400_000  # Distinct answers, for their memory.
    entries: tuple = (10_000, 1_000_000)
    restart: int = 1_000_000  # Distinct answers that shall outlive it.
    draws: int = 1_000_000  # Questions of a run; then they begin anew.
    misses: int = 250_000  # At most so many a second.


@dataclasses.dataclass
class Subject:
    """One server under measurement, and what has been found of it."""

    name: str
    server: live.Program = None
    port: int = 0
    hits: list = dataclasses.field(default_factory=list)
    misses: list = dataclasses.field(default_factory=list)
    error: str = ""


class Load:
    """The generator and the upstream, ready to be let loose on a server."""

    def __init__(self, tools, cores, lists_nothing=False, upstream=UPSTREAM):
        self.generator = pathlib.Path(tools) / "answers"
        self.cores = cores
        options = ["-m", 0, "-T", TTL_S, "-t", TTL_S, *(["-c"] if lists_nothing else [])]
        self.upstream = stage.Upstream(
            pathlib.Path(tools) / "upstream", options, [upstream], cores
        )

    def stop(self):
        self.upstream.stop()

    def ask(self, port, *options):
        command = [self.generator, *options, f"127.0.0.1@{port}"]
        result = subprocess.run(
            [str(word) for word in command],
            stdout=subprocess.PIPE, text=True, check=True, timeout=2 * WARM_LIMIT,
            preexec_fn=stage.pinned_to(self.cores),
        )  # fmt: skip
        return json.loads(result.stdout)

    def ask_once(self, port, kind, first, count):
        """Each of so many questions, until it is answered."""
        answered = 0
        for at in range(first, first + count, ASK_CHUNK):
            part = min(ASK_CHUNK, first + count - at)
            found = self.ask(
                port, "-k", kind, "-o", "once", "-f", at, "-n", part, "-t", WARM_LIMIT
            )
            answered += found["answered"]
            live.expect(
                found["answered"] == part,
                f"it answered only {answered} of {count} questions in {WARM_LIMIT} s",
            )

    def measure(self, server, port, *options):
        """One run: what the generator saw, and what the server and the upstream had to do."""
        self.upstream.tell("reset")
        meter = gauge.Meter(server.process.pid)
        found = self.ask(port, *options)
        found.update(meter.read())
        found["upstream"] = self.upstream.counts()["total"]
        live.expect(server.is_running(), f"it ended: {server.output()[-400:].strip()}")
        live.expect(found["answered"] > 0, "it answered nothing")
        return found


def hits_warm(load, port, plan):
    """Twice: what was answered late or not at all is in the cache after the second time."""
    for _ in range(2):
        load.ask_once(port, "mail", 0, plan.set_size)


def hits_run(load, server, port, plan, run, lanes=()):
    return load.measure(
        server, port, "-o", "zipf", "-n", plan.set_size, "-t", plan.seconds, "-d", plan.draws,
        "-r", run + 1, *lanes,
    )  # fmt: skip


def misses_run(load, server, port, plan, run):
    stride = plan.misses * plan.seconds
    return load.measure(
        server, port, "-o", "once", "-f", MISS_FIRST + run * stride, "-n", stride,
        "-t", plan.seconds,
    )  # fmt: skip


def memory_now(server):
    time.sleep(SETTLE)
    return gauge.memory_bytes(server.process.pid)


def share_held(load, server, port, kind, count):
    """Of `count` answers that it has given: how many it gives again without asking."""
    sample = load.measure(
        server, port, "-k", kind, "-o", "even", "-n", count, "-d", SAMPLE, "-t", 1
    )
    return 1 - min(sample["upstream"] / sample["answered"], 1)


def memory_run(load, server, port, kind, count):
    """Resident bytes with `count` answers, and how many of them it then really holds."""
    load.ask_once(port, kind, 0, count)
    full = memory_now(server)
    return {"full": full, "held": share_held(load, server, port, kind, count)}


def entries_run(load, server, port, plan, count):
    """The cost of a hit when so many answers are held and all are asked alike."""
    started = time.monotonic()
    load.ask_once(port, "mail", 0, count)
    filled = time.monotonic() - started
    runs = [
        load.measure(
            server, port, "-o", "even", "-n", count, "-t", plan.seconds, "-d", plan.draws,
            "-r", run + 1,
        )
        for run in range(plan.runs)
    ]  # fmt: skip
    return {
        "runs": runs,
        "full": gauge.memory_bytes(server.process.pid),
        "fill_s": filled,
    }


def restart_run(load, start, metrics, count):
    """What a restart loses and how long it takes. `start` gives a server and its port, `metrics` what
    the running one counts."""
    server, port = start()
    try:
        load.ask_once(port, "mail", 0, count)
        before = metrics()["cache_entries"]
        begun = time.monotonic()
        server.stop(RESTART_LIMIT)
        stopped = time.monotonic()
        server, port = start()
        answered = time.monotonic()
        meanwhile = load.ask(port, "-o", "once", "-n", SAMPLE, "-f", MISS_FIRST, "-t", 1)
        live.wait_until(
            lambda: metrics()["snapshot_restored"] > 0, "the end of reading the snapshot",
            RESTART_LIMIT,
        )  # fmt: skip
        return {
            "entries": before,
            "stop_s": stopped - begun,
            "answer_s": answered - stopped,
            "worst_us": meanwhile["worst_us"],
            "load_ms": metrics()["snapshot_load_ms"],
            "held": share_held(load, server, port, "mail", count),
        }
    finally:
        stage.server_stop(server)


def chase_run(tools, cores, size):
    """Nanoseconds of one read that depends on the one before, somewhere in so many bytes."""
    result = subprocess.run(
        [str(pathlib.Path(tools) / "chase"), str(size)],
        stdout=subprocess.PIPE, text=True, check=True, timeout=120,
        preexec_fn=stage.pinned_to(cores),
    )  # fmt: skip
    return float(result.stdout)


def metrics_read(path):
    """What mxcache itself counts."""
    result = live.client("stats", "--json", "-s", str(path))
    live.expect(result.returncode == 0, f"mxcache stats failed: {result.stderr}")
    return json.loads(result.stdout)["metrics"]


def each_us(run):
    """Processor time of the server for one answer."""
    return run["cpu_ns"] / 1000 / run["answered"]


def median_of(runs, value):
    return statistics.median(map(value, runs))
