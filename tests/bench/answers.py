# SPDX-License-Identifier: BSD-2-Clause
"""answers.py SOURCE BUILD TOOLS DEBS [OPTION]...: what an answer costs, server beside server.

Run by `./dev bench answers` inside a pod (tests/live/pod): loopback only, Debian's servers unpacked
from DEBS into the pod's own overlay. Tables go to standard output as Markdown, progress to standard
error. The floor is an echo that knows no DNS (tests/bench/echo.c).
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import time

import answers_tables
import cost
import peers
import stage
from stage import live

FLOOR = "floor"
SERVERS = [FLOOR, *peers.PEERS]
PARTS = ["hits", "misses", "workers", "memory", "entries", "restart"]
OURS = "mxcache"
PROGRAMS = ("upstream", "answers", "echo", "chase")
SMALL_MB, LARGE_MB = 5, 480
ENTRY_BYTES = 192  # Of mxcache's cache_size, for each answer that is to be held.
# So many questions are under way that each worker's batches are as large as one worker's.
WORKERS_LANES = {"8 sockets": ("-w", 32), "1 socket": ("-s", 1, "-w", 256)}
ERRORS = (live.Failure, OSError, subprocess.SubprocessError)


def sentence(error):
    return " ".join(str(error).split())[-300:]


class Bench:
    """All of one call: the options, the cores, and what has been found so far."""

    def __init__(self, options, plan):
        allowed = sorted(os.sched_getaffinity(0))
        self.options = options
        self.plan = plan
        self.load_cores = {allowed[0]}
        self.server_cores = {allowed[-1]}
        self.all_cores = set(allowed)
        self.started = 0
        self.found = {"plan": plan, "memory": {}, "entries": {}, "workers": {}}

    def load(self, **options):
        return cost.Load(stage.TOOLS, self.load_cores, **options)

    def place(self, **options):
        """A folder and a port that no other server of this call has."""
        self.started += 1
        folder = live.LOGS / f"server{self.started}"
        port = stage.PORT_FIRST + self.started
        return peers.Place(folder, port, [cost.UPSTREAM], is_tuned=True, **options)

    def place_large(self, **options):
        return self.place(room_mb=LARGE_MB, extra=settings_for(LARGE_MB), **options)

    def server(self, name, place, cores=None):
        title = f"{place.folder.name}-{name}"
        return stage.server_start(title, peers.PEERS[name][1], place, cores or self.server_cores)

    def floor(self, place):
        server = live.Program(
            FLOOR, stage.TOOLS / "echo", f"127.0.0.1@{place.port}",
            preexec_fn=stage.pinned_to(self.server_cores),
        )  # fmt: skip
        server.wait_for_output("ready")
        return server

    def subject(self, name, load):
        """Started, its cache warm; a server that fails is left out of what follows."""
        subject = cost.Subject(name)
        try:
            place = self.place_large()
            subject.server = self.floor(place) if name == FLOOR else self.server(name, place)
            subject.port = place.port
            cost.hits_warm(load, subject.port, self.plan)
        except ERRORS as error:
            subject.error = sentence(error)
            stage.progress(f"    {name}: {subject.error}")
        return subject

    def side_by_side(self):
        """Hits and misses of all servers, in turns, so that noise hits all alike."""
        load = self.load()
        subjects = []
        try:
            for name in self.options.only:
                stage.progress(f"[start] {name}")
                subjects.append(self.subject(name, load))
            for part, run_one in (("hits", cost.hits_run), ("misses", cost.misses_run)):
                if part in self.options.parts:
                    self.turns(part, run_one, load, subjects)
        finally:
            for subject in subjects:
                if subject.server is not None:
                    stage.server_stop(subject.server)
            load.stop()
            folders_remove()
        self.found["subjects"] = subjects

    def turns(self, part, run_one, load, subjects):
        for run in range(self.plan.runs):
            stage.progress(f"[{part}] run {run + 1} of {self.plan.runs}")
            for subject in subjects:
                if subject.error or (subject.name == FLOOR and part != "hits"):
                    continue
                try:
                    found = run_one(load, subject.server, subject.port, self.plan, run)
                    getattr(subject, part).append(found)
                    stage.progress(f"    {subject.name}: {answers_tables.one_line(found)}")
                except ERRORS as error:
                    subject.error = sentence(error)
                    stage.progress(f"    {subject.name}: {subject.error}")

    def workers(self):
        """One worker and two, on all cores, which they share with the generator."""
        load = self.load()
        servers = {}
        try:
            for count in (1, 2):
                place = self.place(extra=f"{settings_for(LARGE_MB)}workers = {count}\n")
                servers[count] = self.server(OURS, place, self.all_cores), place.port
                cost.hits_warm(load, place.port, self.plan)
            for run in range(self.plan.runs):
                stage.progress(f"[workers] run {run + 1} of {self.plan.runs}")
                for lanes_name, lanes in WORKERS_LANES.items():
                    for count, (server, port) in servers.items():
                        found = cost.hits_run(load, server, port, self.plan, run, lanes)
                        rows = self.found["workers"].setdefault((lanes_name, count), [])
                        rows.append(found)
                        stage.progress(
                            f"    {count}, {lanes_name}: {answers_tables.one_line(found)}"
                        )
        finally:
            for server, _ in servers.values():
                stage.server_stop(server)
            load.stop()

    def memory_empty(self, name):
        """Of a server with hardly any cache: what others take at their start belongs to the cache."""
        place = self.place(room_mb=SMALL_MB, entries=1000, extra=settings_for(SMALL_MB))
        server = self.server(name, place)
        try:
            return cost.memory_now(server)
        finally:
            stage.server_stop(server)

    def memory_full(self, name, load, kind):
        # mxcache's index is as large as its budget says, so that is what the answers need.
        size_mb = 1 + (self.plan.cached * ENTRY_BYTES >> 20) if name == OURS else LARGE_MB
        place = self.place(
            room_mb=LARGE_MB, entries=self.plan.cached * 5 // 4, extra=settings_for(size_mb)
        )
        server = self.server(name, place)
        try:
            found = cost.memory_run(load, server, place.port, kind, self.plan.cached)
            if name == OURS:
                found["metrics"] = cost.metrics_read(place.folder / "control.sock")
            return found
        finally:
            stage.server_stop(server)

    def memory_of(self, name, kind):
        load = self.load(lists_nothing=kind == "lists")
        try:
            empty = self.memory_empty(name)
            found = self.memory_full(name, load, kind)
            found["each"] = (found["full"] - empty) / self.plan.cached / max(found["held"], 0.01)
            return found
        except ERRORS as error:
            return {"error": sentence(error)}
        finally:
            load.stop()
            folders_remove()

    def memory(self):
        for kind in ("mail", "lists"):
            for name in self.options.only:
                if name == FLOOR:
                    continue
                found = self.memory_of(name, kind)
                self.found["memory"][kind, name] = found
                stage.progress(f"[memory] {kind}, {name}: {answers_tables.memory_line(found)}")

    def entries(self):
        for count in self.plan.entries:
            stage.progress(f"[entries] {count}")
            load = self.load()
            place = self.place(extra=settings_for(1 + (count * ENTRY_BYTES >> 20)))
            server = self.server(OURS, place)
            try:
                found = cost.entries_run(load, server, place.port, self.plan, count)
            finally:
                stage.server_stop(server)
                load.stop()
            found["chase_ns"] = cost.chase_run(stage.TOOLS, self.server_cores, found["full"])
            self.found["entries"][count] = found
            stage.progress(f"    {answers_tables.entries_line(found)}")

    def restart(self):
        if not setting_is_known("snapshot_file"):
            stage.progress("[restart] this mxcache keeps no snapshot")
            return
        count = self.plan.restart
        file = live.LOGS / "cache.snapshot"
        place = self.place(extra=settings_for(1 + (count * ENTRY_BYTES >> 20)), snapshot=str(file))
        stage.progress(f"[restart] {count}")

        def start():
            return self.server(OURS, place), place.port

        load = self.load()
        try:
            self.found["restart"] = cost.restart_run(
                load, start, lambda: cost.metrics_read(place.folder / "control.sock"), count
            )
            self.found["restart"]["file"] = file.stat().st_size
        except ERRORS as error:
            self.found["restart"] = {"error": sentence(error)}
        finally:
            load.stop()
        stage.progress(f"    {answers_tables.restart_line(self.found['restart'])}")

    def run(self):
        if {"hits", "misses"} & set(self.options.parts):
            self.side_by_side()
        for part in ("workers", "memory", "entries", "restart"):
            if part in self.options.parts and (part == "memory" or OURS in self.options.only):
                getattr(self, part)()
        return self.found


def folders_remove():
    """What servers have left lies in memory, in a pod."""
    for folder in live.LOGS.glob("server*/"):
        shutil.rmtree(folder)


def setting_is_known(name):
    return f"\n{name} =" in live.client("conf", "-d").stdout


def settings_for(size_mb):
    """mxcache shall not ask by itself, so that a hit is a hit, and lists may fill the cache."""
    lines = [f"cache_size = {size_mb}M", "ahead = no"]
    if setting_is_known("list_share"):
        lines.append("list_share = 100")
    return "".join(f"{line}\n" for line in lines)


def numbers(text):
    return tuple(int(word) for word in text.split(","))


def arguments_read():
    parser = argparse.ArgumentParser(prog="./dev bench answers", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short runs, for trying")
    parser.add_argument("--only", type=stage.one_of(SERVERS), metavar="SERVER,...")
    parser.add_argument("--parts", type=stage.one_of(PARTS), metavar="PART,...", default=PARTS)
    parser.add_argument("--runs", type=int, help="of each server and phase")
    parser.add_argument("--seconds", type=int, help="of a run")
    parser.add_argument("--entries", type=numbers, metavar="N,...", help="such as 10000,10000000")
    options = parser.parse_args(sys.argv[5:])
    options.only = options.only or ([FLOOR, OURS] if options.quick else SERVERS)
    return options


def plan_of(options):
    plan = cost.Plan()
    if options.quick:
        plan = cost.Plan(runs=3, seconds=1, cached=100_000, entries=(10_000, 200_000), restart=100_000)
    plan.runs = options.runs or plan.runs
    plan.seconds = options.seconds or plan.seconds
    plan.entries = options.entries or plan.entries
    return plan


def main():
    build, tools, debs = map(pathlib.Path, sys.argv[2:5])
    options = arguments_read()
    stage.peers_install(debs, options.only)
    stage.tools_install(build, tools, PROGRAMS)
    started = time.monotonic()
    found = Bench(options, plan_of(options)).run()
    versions = {name: peers.version(name) for name in options.only if name != FLOOR}
    print(answers_tables.document(found, versions, time.monotonic() - started))


main()
