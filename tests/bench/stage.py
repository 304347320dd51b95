# SPDX-License-Identifier: BSD-2-Clause
"""What the benches share: the pod made ready, the simulated upstream, a server started and stopped.

Imported by programs whose first two arguments are SOURCE and BUILD (tests/live/live.py wants them).
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(sys.argv[1]) / "tests/live"))

import dnswire  # noqa: E402  pylint: disable=wrong-import-position
import live  # noqa: E402  pylint: disable=wrong-import-position
import peers  # noqa: E402  pylint: disable=wrong-import-position

TOOLS = pathlib.Path("/usr/local/libexec")
PORT_FIRST = 5311
READY_LIMIT = 15.0


def pinned_to(cores):
    """For Popen: what is started runs on these cores only. None: wherever it likes."""
    return None if cores is None else lambda: os.sched_setaffinity(0, cores)


class Upstream(live.Program):
    """The simulated upstream servers, told what to do line by line."""

    def __init__(self, program, options, addresses, cores=None):
        self.name = "upstream"
        self.log = live.add_log(live.LOGS / "upstream.log")
        addresses = [f"{address}@{port}" for address, port in addresses]
        self.process = subprocess.Popen(
            (program, *map(str, options), *addresses),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            preexec_fn=pinned_to(cores),
        )  # fmt: skip
        live.expect(self.process.stdout.readline() == "ready\n", "the upstream did not start")

    def tell(self, command):
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def counts(self):
        return json.loads(self.tell("count"))


def port_answers(server, port):
    live.expect(server.is_running(), f"it ended: {server.output()[-400:].strip()}")
    try:
        answer = dnswire.ask_udp(("127.0.0.1", port), "ready.bench", "A", timeout=0.5)
        return answer.rcode == dnswire.NOERROR
    except OSError:
        return False


def server_start(title, command, place, cores=None):
    """`place` (peers.Place) has its folder made here; returns when a question has been answered."""
    place.folder.mkdir(exist_ok=True)
    server = live.Program(
        title, *command(place), cwd=place.folder, preexec_fn=pinned_to(cores)
    )
    try:
        live.wait_until(
            lambda: port_answers(server, place.port), f"an answer of {title}", READY_LIMIT
        )
    except live.Failure:
        server_stop(server)
        raise
    return server


def server_stop(server):
    try:
        server.stop(limit=5.0)
    except live.Failure:
        server.process.kill()
        server.process.wait()


def peers_install(debs, names):
    """Unpacks the packages; no maintainer script runs, no daemon starts."""
    live.LOGS.mkdir(mode=0o755, parents=True)
    if set(names) & {name for name, (package, _) in peers.PEERS.items() if package}:
        files = sorted(debs.glob("*.deb"))
        live.expect(files, f"no packages in {debs}: run ./dev setup bench")
        environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        live.run_quietly(
            "dpkg", "dpkg", "--force-unsafe-io", "--force-depends", "--unpack", *files,
            env=environment, stdin=subprocess.DEVNULL,
        )  # fmt: skip


def tools_install(build, tools, names):
    TOOLS.mkdir(parents=True, exist_ok=True)
    shutil.copy2(build / "mxcache", live.MXCACHE)
    for name in names:
        shutil.copy2(tools / name, TOOLS / name)
    os.environ["PATH"] = "/usr/local/sbin:" + os.environ["PATH"]


def one_of(known):
    """For argparse: a list of names, in the order in which they are known."""

    def read(text):
        names = text.split(",")
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"no {name}; there are: {', '.join(known)}")
        return [name for name in known if name in names]

    return read


def progress(text):
    print(text, file=sys.stderr, flush=True)
