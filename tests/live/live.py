# SPDX-License-Identifier: BSD-2-Clause
"""What the live tests share: running programs in the pod, waiting with a limit, reporting.

A test is a function; `run(tests)` calls each, and on a failure prints every log it knows of.
All of it runs inside the pod (tests/live/pod), as its root, so nothing has to be tidied up.
"""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback

import dnswire

SOURCE = pathlib.Path(sys.argv[1])
BUILD = pathlib.Path(sys.argv[2])
LOGS = pathlib.Path("/tmp/live")
MXCACHE = "/usr/local/sbin/mxcache"
SCRIPTED = "/usr/local/bin/scripted_server"
SOCKET = "/run/mxcache/control.sock"
LIMIT = 30.0  # Seconds: for anything that is only a matter of a slow machine.

_logs = []


class Failure(Exception):
    """A sentence about what was expected and what was there."""


def expect(condition, sentence):
    if not condition:
        raise Failure(sentence)


def expect_equal(found, wanted, what):
    expect(found == wanted, f"{what}: expected {wanted!r}, found {found!r}")


def wait_until(check, what, limit=LIMIT):
    """Calls `check` until it gives something true, and returns that."""
    end = time.monotonic() + limit
    while True:
        result = check()
        if result:
            return result
        if time.monotonic() > end:
            raise Failure(f"waited {limit:.0f} s in vain for {what}")
        time.sleep(0.02)


def add_log(path):
    path = pathlib.Path(path)
    if path not in _logs:
        _logs.append(path)
    return path


def read_log(path):
    try:
        return pathlib.Path(path).read_text(errors="replace")
    except FileNotFoundError:
        return ""


def run_quietly(name, *command, **options):
    """Runs a program whose output matters only when it fails."""
    log = add_log(LOGS / f"{name}.log")
    with open(log, "ab") as out:
        status = subprocess.run(command, stdout=out, stderr=out, check=False, **options).returncode
    expect(status == 0, f"{' '.join(map(str, command))[:200]} ended with status {status}")


def unpack(name, *debs):
    """Packages' files without their scripts, into the pod's root."""
    # /lib is a link into /usr, which a package that brings a folder of that name must not replace.
    pipe = 'dpkg-deb --fsys-tarfile "$1" | tar -x -C / --keep-directory-symlink'
    for deb in debs:
        run_quietly(name, "sh", "-c", pipe, "sh", deb)
    run_quietly(name, "ldconfig")


def collect_syslog():
    """Stands in for the system's logger: programs tell /dev/log why they do not start."""
    log = open(add_log(LOGS / "syslog.log"), "ab", buffering=0)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.bind("/dev/log")
    os.chmod("/dev/log", 0o666)

    def loop():
        while True:
            log.write(sock.recv(8192).rstrip(b"\0\n") + b"\n")

    threading.Thread(target=loop, daemon=True).start()


class Program:
    """A program in the background, its output in a log of its own."""

    def __init__(self, name, *command, **options):
        self.name = name
        self.log = add_log(LOGS / f"{name}.log")
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, **options
            )

    def is_running(self):
        return self.process.poll() is None

    def output(self):
        return read_log(self.log)

    def wait(self, limit=LIMIT):
        wait_until(lambda: not self.is_running(), f"the end of {self.name}", limit)
        return self.process.returncode

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self, limit=LIMIT):
        if self.is_running():
            self.signal(signal.SIGTERM)
        return self.wait(limit)

    def wait_for_output(self, text, count=1):
        def check():
            expect(self.is_running(), f"{self.name} has ended early: {self.output()[-500:]}")
            return self.output().count(text) >= count

        wait_until(check, f"{text!r} in the log of {self.name}")


class Upstream(Program):
    """The scripted server, with the given zone text."""

    def __init__(self, name, zone, *addresses):
        path = LOGS / f"{name}.zone"
        path.write_text(zone)
        super().__init__(name, SCRIPTED, "-v", path, *addresses)
        self.wait_for_output("ready")

    def questions(self, text):
        return self.output().count(text)


def number_of(tree, name):
    """The number of that name, wherever it stands."""
    if isinstance(tree, dict):
        if isinstance(tree.get(name), (int, float)):
            return tree[name]
        tree = list(tree.values())
    if isinstance(tree, list):
        for branch in tree:
            found = number_of(branch, name)
            if found is not None:
                return found
    return None


class Daemon(Program):
    """mxcache serve, with the given configuration text, ready to answer."""

    def __init__(self, name, config, *arguments, server=("127.0.0.1", 53), **options):
        self.server = server
        self.config = LOGS / f"{name}.conf"
        self.config.write_text(config)
        if "snapshot_file" not in config:
            # What one test has asked is no business of the next one.
            arguments = ("-o", "snapshot_file=", *arguments)
        super().__init__(name, MXCACHE, "serve", "-c", self.config, *arguments, **options)

    def wait_ready(self):
        def check():
            expect(self.is_running(), f"{self.name} has ended early: {self.output()[-2000:]}")
            try:
                return dnswire.ask_udp(self.server, "localhost", "A", timeout=0.5)
            except OSError:
                return None

        wait_until(check, f"an answer of {self.name}")
        return self

    def stats(self, path=SOCKET):
        result = client("stats", "--json", "-s", path)
        expect(result.returncode == 0, f"mxcache stats failed: {result.stderr}")
        return json.loads(result.stdout)

    def stat(self, name):
        return number_of(self.stats(), name)


def client(*arguments):
    """Runs mxcache with a client subcommand; output as text."""
    return subprocess.run(
        (MXCACHE, *arguments), capture_output=True, text=True, timeout=LIMIT, check=False
    )


def prepare():
    """Installs what was built, as an admin would have it, and makes the user it runs as."""
    LOGS.mkdir(mode=0o755, parents=True)
    collect_syslog()
    shutil.copy2(BUILD / "mxcache", MXCACHE)
    shutil.copy2(BUILD / "tests/support/scripted_server", SCRIPTED)
    pathlib.Path(SOCKET).parent.mkdir(mode=0o755)
    run_quietly("setup", "useradd", "--system", "--no-create-home", "mxcache")
    shutil.chown(pathlib.Path(SOCKET).parent, "mxcache", "mxcache")


def report():
    for log in _logs:
        text = read_log(log)
        if text:
            print(f"---- {log.name} (last 200 lines)")
            print("\n".join(text.splitlines()[-200:]))
    if os.path.exists(SOCKET):
        print("---- mxcache stats")
        print(client("stats", "-s", SOCKET).stdout)
        print("---- mxcache slow")
        print(client("slow", "-s", SOCKET).stdout)


def run(*tests):
    """Runs the tests in order; the first failure ends the program with a report."""
    prepare()
    for test in tests:
        started = time.monotonic()
        try:
            test()
        except Exception:  # pylint: disable=broad-except
            traceback.print_exc(file=sys.stdout)
            report()
            print(f"FAILED: {test.__name__}")
            sys.exit(1)
        print(f"ok {test.__name__} ({time.monotonic() - started:.1f} s)")
