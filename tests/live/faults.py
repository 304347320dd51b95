# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of faults share: a host with a mail world, clients who never tire, numbers.

CHAOS in the environment makes them long (`./dev chaos`).
"""

import collections
import os
import pathlib
import random
import threading
import time

import dnswire
import live
from live import expect, expect_equal, wait_until

LONG = bool(os.environ.get("CHAOS"))
SERVER = ("127.0.0.1", 53)
FIRST, SECOND = "127.0.0.2@53", "127.0.0.3@53"
FILE = pathlib.Path("/var/lib/mxcache/cache.snapshot")
HOSTS = 200
PATIENCE = 5.0  # Seconds: then libc asks again.

ZONE = """
example.org. 3600 SOA ns.example.org. host.example.org. 1 3600 900 604800 3600
slow.example.org. 300 A 192.0.2.10
!delay slow.example.org. 1500ms
""" + "".join(
    f"h{n}.example.org. 3600 A 192.0.2.{n}\nh{n}.example.org. 3600 MX 10 h{n}.example.org.\n"
    for n in range(HOSTS)
)

# Memory that ASan holds back to catch late readers is no leak of ours.
os.environ["ASAN_OPTIONS"] = "quarantine_size_mb=1:thread_local_quarantine_size_kb=64"


def choose(short, long):
    """How often or how long: in every run of the tests, and in `./dev chaos`."""
    return long if LONG else short


def conf(upstreams=FIRST, more="", path=FILE):
    return (
        f"listen = 127.0.0.1\nupstreams = {upstreams}\ncontrol_socket = {live.SOCKET}\n"
        f"metrics_listen =\nsnapshot_file = {path}\n{more}"
    )


def stat(daemon, name):
    return daemon.stat(name)


def wait_stat(daemon, name, least, limit=live.LIMIT):
    wait_until(lambda: stat(daemon, name) >= least, f"{name} to be {least}", limit)


def descriptors(daemon):
    return len(os.listdir(f"/proc/{daemon.process.pid}/fd"))


def resident_mb(daemon):
    status = pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def expect_whole(daemon):
    """It runs, and no sanitizer and no assertion has spoken."""
    expect(daemon.is_running(), f"{daemon.name} has ended: {daemon.output()[-3000:]}")
    for word in ("Sanitizer", "runtime error", "must("):
        expect(word not in daemon.output(), f"{word} in the log of {daemon.name}")


def expect_hosts(numbers, limit=PATIENCE):
    for number in numbers:
        answer = dnswire.ask_udp(SERVER, f"h{number}.example.org", "A", timeout=limit)
        expect_equal(answer.addresses(), [f"192.0.2.{number}"], f"the address of h{number}")


class Crowd:
    """Clients that ask one question after the other: for hosts, and each eighth for a new name."""

    serial = 0

    def __init__(self, count=4, must_resolve=True, patience=PATIENCE):
        self.must_resolve, self.patience = must_resolve, patience
        self.failures, self.times = collections.Counter(), []
        self.must_end = threading.Event()
        self.threads = [threading.Thread(target=self.ask, daemon=True) for _ in range(count)]
        for thread in self.threads:
            thread.start()

    def question(self):
        if random.random() < 0.125:
            Crowd.serial += 1
            return f"u{Crowd.serial}.example.org", None
        number = random.randrange(HOSTS)
        return f"h{number}.example.org", f"192.0.2.{number}"

    def ask_one(self):
        name, address = self.question()
        began = time.monotonic()
        try:
            answer = dnswire.ask_udp(SERVER, name, "A", timeout=self.patience)
        except OSError as error:
            self.failures[f"{type(error).__name__}"] += 1
            time.sleep(0.002)
            return
        self.times.append(time.monotonic() - began)
        if address and answer.rcode == dnswire.NOERROR:
            if answer.addresses() != [address]:
                self.failures[f"wrong: {answer.addresses()} for {name}"] += 1
        elif self.must_resolve and answer.rcode != (0 if address else dnswire.NXDOMAIN):
            self.failures[f"rcode {answer.rcode}"] += 1

    def ask(self):
        while not self.must_end.is_set():
            self.ask_one()

    def end(self):
        self.must_end.set()
        for thread in self.threads:
            thread.join()
        return self

    def expect_served(self, what):
        self.end()
        print(f"  {what}: {self.tell()}")
        expect_equal(dict(self.failures), {}, f"what went wrong: {what}")

    def tell(self):
        times = sorted(self.times) or [0.0]
        return (
            f"{len(self.times)} answers, half within {1e3 * times[len(times) // 2]:.1f} ms, 99 %"
            f" within {1e3 * times[len(times) * 99 // 100]:.1f} ms,"
            f" the last {1e3 * times[-1]:.0f} ms"
        )
