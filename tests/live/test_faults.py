# SPDX-License-Identifier: BSD-2-Clause
"""Kills, full and read-only disks, no descriptors, storms of reloads: what is lost."""

import hashlib
import os
import pathlib
import random
import resource
import shutil
import signal
import socket
import time

import dnswire
import faults
import live
from faults import FILE, FIRST, SECOND, SERVER, conf, stat, wait_stat
from live import expect, expect_equal, wait_until

KILLS = int(os.environ.get("CHAOS_KILLS", faults.choose(3, 100)))
RELOADS = int(os.environ.get("CHAOS_RELOADS", faults.choose(100, 1000)))
TINY = pathlib.Path("/mnt/tiny")
BESIDE = FILE.with_name(FILE.name + ".new")
programs = {}


def start(name, *arguments, **options):
    programs["mxcache"] = live.Daemon(name, *arguments, **options).wait_ready()
    return programs["mxcache"]


def programs_start():
    shutil.rmtree(FILE.parent, ignore_errors=True)
    programs["first"] = live.Upstream("first", faults.ZONE, FIRST)
    programs["second"] = live.Upstream("second", faults.ZONE, SECOND)


def kill_at_a_bad_moment(daemon):
    """While a snapshot is being written, if that can be seen; else any time."""
    end = time.monotonic() + 1.3 * random.random() + 0.1
    while time.monotonic() < end and not BESIDE.exists():
        pass
    time.sleep(random.random() * 0.004)
    daemon.signal(signal.SIGKILL)
    daemon.wait()


def check_what_was_kept(daemon, written):
    """`written` answers were in a whole snapshot before the kill; upstream is silent now."""
    programs["first"].signal(signal.SIGSTOP)
    daemon.wait_for_output("snapshot_restored")
    restored = stat(daemon, "snapshot_restored")
    expect(restored >= written, f"{restored} of {written} answers were restored")
    expect("damaged" not in daemon.output(), "the snapshot is damaged")
    faults.expect_hosts(range(faults.HOSTS), limit=1.0)
    expect_equal(stat(daemon, "cache_stale_hits"), 0, "stale answers")
    programs["first"].signal(signal.SIGCONT)


def kills_lose_nothing_that_was_written():
    written = during = 0
    for number in range(KILLS + 1):
        daemon = start(f"killed{number}", conf(more="snapshot_interval = 1s\n"))
        if number:
            check_what_was_kept(daemon, written)
        faults.expect_hosts(range(faults.HOSTS))
        crowd = faults.Crowd(patience=0.3)  # Nobody will answer what is asked at the end.
        wait_stat(daemon, "snapshots_written", 1)
        written = stat(daemon, "snapshot_entries")
        kill_at_a_bad_moment(daemon)
        during += BESIDE.exists()
        crowd.end()
        wrong = [what for what in crowd.failures if what.startswith("wrong")]
        expect_equal(wrong, [], "wrong answers")
    print(f"  {KILLS} kills, {during} in the middle of a snapshot; {written} answers at the end")


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def break_between_snapshots(daemon, path, break_it):
    """The digest of the whole file that was there when it broke."""
    while True:
        daemon.signal(signal.SIGSTOP)
        is_between = not path.with_name(path.name + ".new").exists()
        if is_between:
            whole = digest(path)
            break_it()
        daemon.signal(signal.SIGCONT)
        if is_between:
            return whole
        time.sleep(0.01)


def cost_the_snapshot_only(name, break_it, mend_it):
    path = TINY / "cache.snapshot"
    daemon = start(name, conf(path=path, more="snapshot_interval = 1s\n"))
    faults.expect_hosts(range(100))
    wait_stat(daemon, "snapshots_written", 1)
    whole = break_between_snapshots(daemon, path, break_it)
    crowd = faults.Crowd(count=2)
    before, count = stat(daemon, "snapshot_failures"), faults.choose(3, 100)
    wait_stat(daemon, "snapshot_failures", before + count, live.LIMIT + 2 * count)
    expect_equal(digest(path), whole, "the snapshot that was whole")
    lines = daemon.output().count("snapshot_unwritten")
    expect(1 <= lines <= faults.choose(1, 3), f"{lines} lines about it")
    mend_it()
    written = stat(daemon, "snapshots_written")
    wait_stat(daemon, "snapshots_written", written + 1)
    expect(digest(path) != whole, "no new snapshot although there is room again")
    crowd.expect_served(name)
    expect_equal(daemon.stop(), 0, "the exit status")


def full_and_read_only_disks_cost_the_snapshot_only():
    TINY.mkdir(parents=True)
    options = "size=64m,mode=755"
    live.run_quietly("setup", "mount", "-t", "tmpfs", "-o", options, "tiny", TINY)
    shutil.chown(TINY, "mxcache", "mxcache")
    filler = TINY / "filler"

    def fill():
        with open(filler, "wb", buffering=0) as file:
            try:
                while file.write(bytes(65536)):
                    pass
            except OSError:
                pass

    def remount(how):
        live.run_quietly("setup", "mount", "-o", f"remount,{how},{options}", TINY)

    cost_the_snapshot_only("full", fill, filler.unlink)
    cost_the_snapshot_only("readonly", lambda: remount("ro"), lambda: remount("rw"))


def use_up_descriptors(daemon, what):
    """More clients than descriptors: UDP goes on, TCP comes back when there are some again."""
    streams, crowd = [], faults.Crowd()
    for _ in range(100):
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setblocking(False)
        sock.connect_ex(SERVER)
        streams.append(sock)
    waiting = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(100)]
    for number, sock in enumerate(waiting):
        sock.settimeout(faults.PATIENCE)
        sock.connect(SERVER)
        sock.send(dnswire.query(f"x{number}-{what}.slow.example.org", "A"))
    for sock in waiting:
        dnswire.Answer(sock.recv(4096))
        sock.close()
    daemon.wait_for_output("tcp_accept_rests")  # The control socket takes nobody either.
    for sock in streams:
        sock.close()
    crowd.end()
    late = [name for name in crowd.failures if not name.startswith("rcode")]
    expect_equal(late, [], f"unanswered questions, {what}")
    print(f"  {what}: {crowd.tell()}; {sum(crowd.failures.values())} times SERVFAIL")
    faults.expect_whole(daemon)


def comes_back():
    def answers():
        try:
            return dnswire.ask_tcp(SERVER, "h7.example.org", "A").addresses() == ["192.0.2.7"]
        except OSError:
            return False

    wait_until(answers, "an answer by TCP")
    faults.Crowd.serial += 1
    answer = dnswire.ask_udp(SERVER, f"u{faults.Crowd.serial}.example.org", "A")
    expect_equal(answer.rcode, dnswire.NXDOMAIN, "a new question")


def limit_descriptors(count):
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))


def few_descriptors_at_start():
    text = conf(path="").replace("snapshot_file = \n", "snapshot_file =\n")
    started = 0
    for count in range(4, 46, faults.choose(4, 1)):
        name = f"limit{count}"
        daemon = live.Daemon(name, text, preexec_fn=limit_descriptors(count))
        wait_until(lambda: not daemon.is_running() or "notice: started" in daemon.output(), name)
        time.sleep(0.02)
        if daemon.is_running():
            started += 1
            dnswire.ask_udp(SERVER, "h1.example.org", "A", timeout=faults.PATIENCE)
            faults.expect_whole(daemon)
            expect_equal(daemon.stop(), 0, f"the exit status with {count} descriptors")
        else:
            code = daemon.process.returncode
            expect(0 < code < 128, f"{count} descriptors: exit status {code}")
            expect(daemon.output().strip(), f"{count} descriptors: an end without a word")
    expect(started, "it never starts")
    daemon = start("scarce", text, preexec_fn=limit_descriptors(60))
    use_up_descriptors(daemon, "60 descriptors from the start")
    comes_back()
    expect_equal(daemon.stop(), 0, "the exit status")


def soft_limit(daemon):
    text = pathlib.Path(f"/proc/{daemon.process.pid}/limits").read_text()
    line = next(line for line in text.splitlines() if line.startswith("Max open files"))
    return int(line.split()[3])


def set_soft_limit(daemon, count):
    """As the daemon's own user: in a container, root may not."""
    command = ("prlimit", "--pid", str(daemon.process.pid), f"--nofile={count}:")
    live.run_quietly("setup", *command, user="mxcache", group="mxcache", extra_groups=())


def no_descriptors_while_running():
    daemon = start("shrunk", conf(more="snapshot_interval = 1s\n"))
    faults.expect_hosts(range(faults.HOSTS))
    enough = soft_limit(daemon)
    for round_number in range(faults.choose(1, 20)):
        least = faults.descriptors(daemon)
        set_soft_limit(daemon, least)
        use_up_descriptors(daemon, f"none left {round_number}")
        set_soft_limit(daemon, enough)
        comes_back()
    written = stat(daemon, "snapshots_written")
    wait_stat(daemon, "snapshots_written", written + 1)
    expect_equal(daemon.stop(), 0, "the exit status")


def settings_of(number):
    """Good and broken ones by turns."""
    kinds = (
        conf(FIRST), conf(f"{SECOND} {FIRST}", "answer_deadline = 3s\ncache_size = 8M\n"),
        conf(FIRST, "answer_deadline = soon\n"),
        conf(SECOND, "[upstream x]\nservers = 127.0.0.3\n[zone example.org]\nupstream = x\n"),
        conf("", "[zone x]\nupstream = nobody\n") + "\0\xff[",
        conf(f"{FIRST} {SECOND}", "[zone example.org]\nupstream = default\nroute = auto\n"),
    )  # fmt: skip
    return kinds[number % len(kinds)]


def reload_once(daemon, number):
    def told():
        return daemon.output().count("reloaded") + daemon.output().count("reload_failed")

    before = told()
    daemon.config.write_text(settings_of(number), encoding="latin-1")
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: told() > before, f"reload {number}")


def storms_of_reloads_leak_nothing():
    daemon = start("reloaded", settings_of(0))
    faults.expect_hosts(range(faults.HOSTS))
    crowd = faults.Crowd()
    for number in range(RELOADS // 2):
        reload_once(daemon, number)
    crowd.end()
    wait_until(lambda: stat(daemon, "questions_waiting") in (0, None), "rest")
    open_before, mb_before = faults.descriptors(daemon), faults.resident_mb(daemon)
    second = faults.Crowd()
    for number in range(RELOADS // 2):
        reload_once(daemon, number)
        daemon.signal(signal.SIGHUP)
        daemon.signal(signal.SIGHUP)
    second.expect_served("the second half of the storm")
    crowd.expect_served("the first half of the storm")
    wait_until(lambda: faults.descriptors(daemon) <= open_before + 2, "the old descriptors")
    mb_after = faults.resident_mb(daemon)
    print(
        f"  {RELOADS} reloads: {open_before} descriptors, then {faults.descriptors(daemon)};"
        f" {mb_before:.1f} MB, then {mb_after:.1f} MB"
    )
    expect(mb_after < mb_before + 8, "memory grows with reloads")
    faults.expect_whole(daemon)
    expect_equal(daemon.stop(), 0, "the exit status")


if __name__ == "__main__":
    live.run(
        programs_start,
        kills_lose_nothing_that_was_written,
        full_and_read_only_disks_cost_the_snapshot_only,
        few_descriptors_at_start,
        no_descriptors_while_running,
        storms_of_reloads_leak_nothing,
    )
