# SPDX-License-Identifier: BSD-2-Clause
"""What outlives a restart, a kill, a damaged file and a full disk."""

import os
import pathlib
import shutil
import signal
import stat

import dnswire
import live
from live import expect, expect_equal, wait_until

SERVER = ("127.0.0.1", 53)
UPSTREAM = "127.0.0.2@53"
FILE = pathlib.Path("/var/lib/mxcache/cache.snapshot")
TINY = pathlib.Path("/mnt/tiny")
COUNT = 3000  # The scripted server takes 4,096 lines.
ZONE = "example.org. 3600 SOA ns.example.org. host.example.org. 1 3600 900 604800 300\n" + "".join(
    f"n{number}.example.org. 3600 A 192.0.2.{number % 250}\n" for number in range(COUNT + 500)
)


class Host:
    """One mxcache and one upstream after another."""

    def __init__(self):
        self.lives = 0
        self.upstream = None
        self.daemon = None

    def upstream_start(self):
        self.upstream = live.Upstream(f"upstream{self.lives}", ZONE, UPSTREAM)

    def upstream_stop(self):
        self.upstream.stop()

    def start(self, more="snapshot_interval = 1s\n", path=FILE):
        self.lives += 1
        self.daemon = live.Daemon(
            f"mxcache{self.lives}",
            f"listen = 127.0.0.1\nupstreams = {UPSTREAM}\ncontrol_socket = {live.SOCKET}\n"
            f"snapshot_file = {path}\n{more}",
        ).wait_ready()

    def stat(self, name):
        return self.daemon.stat(name)

    def wait_for(self, name, least):
        wait_until(lambda: self.stat(name) >= least, f"{name} to be {least}")


host = Host()


def ask(numbers):
    for number in numbers:
        answer = dnswire.ask_udp(SERVER, f"n{number}.example.org", "A")
        expect_equal(answer.addresses(), [f"192.0.2.{number % 250}"], f"the address of n{number}")


def count_hits(numbers):
    """How many are answered at once and right, nobody being there to be asked."""
    hits = 0
    for number in numbers:
        answer = dnswire.ask_udp(SERVER, f"n{number}.example.org", "A")
        hits += answer.addresses() == [f"192.0.2.{number % 250}"]
    return hits


def expect_hits(numbers, what):
    hits = count_hits(numbers)
    expect(hits >= 0.99 * len(numbers), f"{what}: {hits} of {len(numbers)} answers are hits")
    expect_equal(host.stat("cache_stale_hits"), 0, f"{what}: stale answers")


def kill_loses_nothing_that_was_written():
    # The system outside may have one, of another owner.
    shutil.rmtree(FILE.parent, ignore_errors=True)
    host.upstream_start()
    host.start()
    ask(range(COUNT))
    host.wait_for("snapshot_entries", COUNT)
    expect_equal(stat.S_IMODE(FILE.stat().st_mode), 0o600, "the mode of the snapshot")
    expect_equal(FILE.owner(), "mxcache", "the owner of the snapshot")
    host.daemon.signal(signal.SIGKILL)
    host.daemon.wait()
    host.upstream_stop()
    host.start()
    host.wait_for("snapshot_restored", COUNT)
    expect_hits(range(COUNT), "after a kill")
    expect("upstreams=1" in host.daemon.output(), "the upstream is not remembered")


def clean_stop_writes_at_once():
    host.upstream_start()
    host.daemon.stop()
    host.start("snapshot_interval = 1d\n")
    host.wait_for("snapshot_restored", COUNT)
    ask(range(COUNT, COUNT + 500))
    expect_equal(host.stat("snapshots_written"), 0, "snapshots before the stop")
    expect_equal(host.daemon.stop(), 0, "the exit status after TERM")
    host.upstream_stop()
    host.start()
    host.wait_for("snapshot_restored", COUNT + 500)
    expect_hits(range(COUNT + 500), "after a clean stop")


def damage_costs_what_it_hits():
    host.daemon.stop()
    with open(FILE, "r+b") as file:
        file.seek(FILE.stat().st_size // 2)
        file.write(bytes(100))
    host.start()
    host.wait_for("snapshot_restored", 1)
    expect_hits(range(COUNT + 500), "after damage")
    expect_equal(host.daemon.output().count("damaged=1"), 1, "lines about the damage")


def nonsense_is_no_obstacle():
    host.daemon.stop()
    FILE.write_bytes(os.urandom(100_000))
    host.upstream_start()
    host.start()
    ask(range(10))
    host.daemon.wait_for_output("snapshot_foreign: ")
    host.wait_for("snapshots_written", 1)


def full_disk_costs_the_snapshot_only():
    host.daemon.stop()
    TINY.mkdir(parents=True)
    live.run_quietly("setup", "mount", "-t", "tmpfs", "-o", "size=64k,mode=755", "tiny", TINY)
    shutil.chown(TINY, "mxcache", "mxcache")
    host.start(path=TINY / "cache.snapshot")
    ask(range(COUNT))
    host.daemon.wait_for_output("make room")
    host.wait_for("snapshot_failures", 1)
    ask(range(COUNT, COUNT + 100))
    expect_equal(host.daemon.stop(), 0, "the exit status with a full disk")
    expect_equal(host.daemon.output().count("make room"), 1, "lines about the full disk")


def no_right_is_explained():
    place = pathlib.Path("/srv/root-only")
    place.mkdir(mode=0o755, parents=True)
    host.start(path=place / "cache.snapshot")
    ask(range(10))
    host.daemon.wait_for_output("chown it")
    expect_equal(host.daemon.stop(), 0, "the exit status without the right to write")


if __name__ == "__main__":
    live.run(
        kill_loses_nothing_that_was_written,
        clean_stop_writes_at_once,
        damage_costs_what_it_hits,
        nonsense_is_no_obstacle,
        full_disk_costs_the_snapshot_only,
        no_right_is_explained,
    )
