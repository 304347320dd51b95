# SPDX-License-Identifier: BSD-2-Clause
"""The built package under a real systemd: installed, restarted and upgraded under load, purged.

    test_package.py FOLDER      the .deb is in FOLDER; run by tests/package/host
"""

import glob
import os
import pathlib
import select
import socket
import struct
import subprocess
import sys
import threading
import time

# The service may not raise its receive buffer above net.core.rmem_max, which is 208 KiB on a stock
# kernel: 250 questions. That has to last from one process to the next on a busy machine.
RATE, TRY_S = 300.0, 5.0
SERVER = ("127.0.0.1", 53)
# What installing anything changes, and what systemd itself keeps.
NOT_OURS = ("/var/lib/dpkg", "/var/log", "/var/cache", "/var/lib/systemd", "/etc/passwd",
            "/etc/group", "/etc/shadow", "/etc/gshadow", "/etc/subuid", "/etc/subgid",
            "/var/lib/private", "/var/tmp", "/etc/.pwd.lock", "/var/lib/dbus",
            "/etc/machine-id")  # fmt: skip


def expect(condition, sentence):
    if not condition:
        print(f"FAILED: {sentence}")
        print(run("journalctl", "-b", "-u", "mxcache", "--no-pager", check=False)[-3000:])
        sys.exit(1)


def run(*command, check=True):
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive", PATH=os.environ["PATH"])
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=90,
                            env=environment)  # fmt: skip
    output = result.stdout + result.stderr
    expect(not check or result.returncode == 0, f"{command} gave {result.returncode}: {output}")
    return output.strip()


def query(ident):
    return struct.pack(">HHHHHH", ident, 0x0100, 1, 0, 0, 0) + b"\x09localhost\0\0\1\0\1"


class Crowd(threading.Thread):
    """Asks at a steady rate whether or not anybody answers."""

    def __init__(self):
        super().__init__(daemon=True)
        self.asked, self.answered, self.errors, self.must_end = 0, 0, [], False
        self.longest = 0.0

    def run(self):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.connect(SERVER)
        waiting, started = {}, time.monotonic()
        while not self.must_end or waiting:
            now = time.monotonic()
            while not self.must_end and self.asked < (now - started) * RATE:
                ident = self.asked & 0xFFFF
                waiting[ident] = now
                self.asked += 1
                try:
                    sock.send(query(ident))
                except OSError as error:
                    self.errors.append(f"send: {error}")
            while select.select([sock], [], [], 0.002)[0]:
                try:
                    ident, flags = struct.unpack_from(">HH", sock.recv(512))
                except OSError as error:
                    self.errors.append(f"receive: {error}")
                    continue
                self.longest = max(self.longest, time.monotonic() - waiting.pop(ident))
                self.answered += 1
                if flags & 0xF:
                    self.errors.append(f"rcode {flags & 0xF}")
            for ident, since in list(waiting.items()):
                if time.monotonic() - since > TRY_S:
                    self.errors.append("no answer")
                    del waiting[ident]


def answers(limit=10.0):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(1.0)
            sock.connect(SERVER)
            try:
                sock.send(query(1))
                return len(sock.recv(512)) > 12
            except OSError:
                time.sleep(0.05)
    return False


def files():
    found = set()
    for top in ("/etc", "/usr", "/var", "/opt"):
        for folder, _, names in os.walk(top):
            if not folder.startswith(NOT_OURS):
                found.add(folder)
                found.update(os.path.join(folder, name) for name in names)
    return {path for path in found if not path.startswith(NOT_OURS) and "__pycache__" not in path}


def installs_and_starts(deb):
    run("dpkg", "-i", deb)
    expect(run("systemctl", "is-active", "mxcache") == "active", "the service is not active")
    expect(run("systemctl", "is-enabled", "mxcache") == "enabled", "the service is not enabled")
    for unit in ("mxcache.socket", "mxcache-chroot-sync.path"):
        state = run("systemctl", "is-enabled", unit, check=False)
        expect(state == "disabled", f"{unit} is {state}")
    expect(answers(), "the installed service does not answer")
    stored = run("systemctl", "show", "-P", "NFileDescriptorStore", "mxcache")
    expect(stored == "4", f"{stored} sockets are kept, not 4")
    user = run("stat", "-c", "%U", "/run/mxcache/control.sock")
    expect(user == "mxcache", f"the service's user is {user}")
    print(run("mxcache", "--version").split("\n", maxsplit=1)[0], "installed, active, answers")


def restarts_without_loss(deb):
    crowd = Crowd()
    crowd.start()
    restarts = 0
    for _ in range(4):
        time.sleep(0.5)
        run("systemctl", "restart", "mxcache")
        restarts += 1
    run("dpkg", "-i", deb)
    time.sleep(0.5)
    crowd.must_end = True
    crowd.join()
    print(f"{crowd.answered} of {crowd.asked} questions were answered in {restarts} restarts and an"
          f" upgrade; the longest took {crowd.longest * 1000:.0f} ms")  # fmt: skip
    expect(not crowd.errors, f"errors: {sorted(set(crowd.errors))} ({len(crowd.errors)})")
    expect(crowd.answered == crowd.asked, "some questions have no answer")
    expect(run("systemctl", "is-active", "mxcache") == "active", "the service is not active")


def is_killed_and_answers():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(TRY_S)
        sock.connect(SERVER)
        run("systemctl", "kill", "--signal=KILL", "mxcache")
        began = time.monotonic()
        sock.send(query(7))
        expect(len(sock.recv(512)) > 12, "what was asked after a kill -9 has no answer")
        print(f"killed, an answer after {(time.monotonic() - began) * 1000:.0f} ms")
    expect(run("systemctl", "show", "-P", "NRestarts", "mxcache") == "1", "it is not restarted")


def socket_unit_serves():
    run("systemctl", "stop", "mxcache")
    run("systemctl", "start", "mxcache.socket")
    expect(answers(), "a question by way of the socket unit has no answer")
    expect(run("systemctl", "is-active", "mxcache") == "active", "the socket starts nobody")
    stored = run("systemctl", "show", "-P", "NFileDescriptorStore", "mxcache")
    expect(stored == "0", f"{stored} sockets of the socket unit are in the store")
    run("systemctl", "restart", "mxcache")
    expect(answers(), "no answer after a restart beside the socket unit")
    run("systemctl", "stop", "mxcache.socket", "mxcache")
    print("mxcache.socket starts the service, and its sockets stay with it")


class Upstream(threading.Thread):
    """Says to every question that there is no such data."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(address)

    def run(self):
        while True:
            message, client = self.sock.recvfrom(4096)
            self.sock.sendto(message[:2] + b"\x81\x80" + message[4:], client)


def removal_leaves_a_host_that_resolves():
    """Who removes the package on a host that asks it must be able to install another one."""
    resolv_conf = pathlib.Path("/etc/resolv.conf")
    before = resolv_conf.read_text()
    Upstream(("127.0.0.2", 5353)).start()
    run("mxcache", "setup", "--upstreams", "127.0.0.2@5353")
    expect("nameserver 127.0.0.1\n" in resolv_conf.read_text(), "setup has changed nothing")
    resolv_conf.write_text(resolv_conf.read_text() + "options timeout:3\n")
    run("dpkg", "-r", "mxcache")
    expect(resolv_conf.read_text() == before, f"after removal: {resolv_conf.read_text()}")
    kept = pathlib.Path("/var/lib/mxcache-setup/kept-1-etc-resolv.conf")
    expect("options timeout:3\n" in kept.read_text(), "the admin's edit is lost")
    kept.unlink()
    print("removed, and resolv.conf is as it was before setup; an edit of it is kept")


def purges_cleanly(before):
    run("dpkg", "-P", "mxcache")
    expect(run("systemctl", "is-active", "mxcache", check=False) != "active", "it runs on")
    for path in ("/etc/mxcache", "/var/lib/mxcache", "/run/mxcache", "/var/log/mxcache"):
        expect(not os.path.exists(path), f"{path} is left")
    left = sorted(files() - before)
    expect(not left, f"files are left: {left[:20]}")
    # debhelper's script for AppArmor takes this folder of the apparmor package along when it is empty.
    missing = sorted(before - files() - {"/etc/apparmor.d/disable"})
    expect(not missing, f"files are missing: {missing[:20]}")
    print("purged, nothing is left")


def main():
    os.environ.setdefault("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
    debs = [deb for deb in glob.glob(f"{sys.argv[1]}/mxcache_*.deb")]
    expect(len(debs) == 1, f"not one package in {sys.argv[1]}: {debs}")
    deb = pathlib.Path(debs[0])
    before = files()
    installs_and_starts(deb)
    restarts_without_loss(deb)
    is_killed_and_answers()
    socket_unit_serves()
    run("systemctl", "start", "mxcache")
    removal_leaves_a_host_that_resolves()
    purges_cleanly(before)


main()
