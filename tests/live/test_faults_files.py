# SPDX-License-Identifier: BSD-2-Clause
"""System calls on files that fail, and each call of a start: what is lost, and what is said."""

import hashlib
import pathlib
import random
import shutil

import calls
import dnswire
import faults
import live
from calls import Calls
from faults import FILE, FIRST, SERVER, conf, stat, wait_stat
from live import expect, expect_equal, wait_until

FILE_FAULTS = (
    ("write", "ENOSPC"), ("write", "EIO"), ("write", "EDQUOT"), ("write", "EFBIG"),
    ("fsync", "EIO"), ("fsync", "ENOSPC"), ("rename", "EIO"), ("rename", "ENOSPC"),
    ("rename", "EROFS"), ("open", "EMFILE"), ("open", "EIO"), ("close", "EIO"), ("close", "EINTR"),
)  # fmt: skip
START_CALLS = {
    "socket": "EMFILE", "open": "EMFILE", "read": "EIO", "epoll_wait": "EINTR", "close": "EIO",
    "connect": "EAGAIN", "recvmmsg": "EINTR", "accept": "ECONNABORTED",
}  # fmt: skip
LOG = pathlib.Path("/var/log/mxcache/query.log")


def programs_start():
    calls.prepare()
    shutil.rmtree(FILE.parent, ignore_errors=True)
    live.Upstream("first", faults.ZONE, FIRST)


def start(name, text):
    rules = Calls(name)
    daemon = live.Daemon(name, text, env=rules.environment()).wait_ready()
    faults.expect_hosts(range(faults.HOSTS))
    return daemon, rules


def end(daemon, rules):
    rules.mend()
    faults.expect_hosts(range(faults.HOSTS))
    faults.expect_whole(daemon)
    expect_equal(daemon.stop(), 0, f"the exit status of {daemon.name}")


def ask_new_name():
    faults.Crowd.serial += 1
    name = f"u{faults.Crowd.serial}.example.org"
    return dnswire.ask_udp(SERVER, name, "A", timeout=faults.PATIENCE)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fail_a_snapshot(daemon, rules, call, name):
    """It meets the error, once; the whole one stays, and the next one is written."""
    failures, written = stat(daemon, "snapshot_failures"), stat(daemon, "snapshots_written")
    # What is closed before the snapshot is where the id of the boot was read.
    rules.fail(call, calls.number_of(name), 1000, 1, first=1 if call == "close" else 0)
    ask_new_name()
    wait_until(lambda: rules.failed(call) == 1, f"{call} with {name}")
    wait_stat(daemon, "snapshot_failures", failures + 1)
    expect(FILE.exists(), f"{call} with {name}: the snapshot has gone")
    ask_new_name()
    wait_stat(daemon, "snapshots_written", written + 1)


def snapshots_fail_and_are_made_again():
    text = conf(more="snapshot_interval = 1s\n")
    daemon, rules = start("snapshot", text)
    wait_stat(daemon, "snapshots_written", 1)
    kinds = FILE_FAULTS * faults.choose(1, 5)
    for call, name in faults.choose(random.sample(kinds, 3), kinds):
        fail_a_snapshot(daemon, rules, call, name)
    for name in ("SHORT", "EINTR"):
        failures, written = stat(daemon, "snapshot_failures"), stat(daemon, "snapshots_written")
        rules.fail("write", calls.number_of(name), 500)
        ask_new_name()
        wait_stat(daemon, "snapshots_written", written + 1)
        expect_equal(stat(daemon, "snapshot_failures"), failures, f"failures by {name}")
    entries = stat(daemon, "snapshot_entries")
    end(daemon, rules)
    whole = digest(FILE)
    for name, number in (("SHORT", 500), ("EINTR", 500)):
        rules.fail("read", calls.number_of(name), number)
        daemon = live.Daemon(f"read-{name}", text, env=rules.environment()).wait_ready()
        daemon.wait_for_output("snapshot_restored")
        expect(stat(daemon, "snapshot_restored") >= entries, f"fewer than {entries} restored")
        rules.mend()
        expect_equal(digest(FILE), whole, "the snapshot that was read")
        expect_equal(daemon.stop(), 0, "the exit status")
        whole = digest(FILE)


def a_snapshot_that_cannot_be_opened_is_read_later():
    """Whichever file it is that meets the shortage of the start."""
    text = conf(more="snapshot_interval = 1s\n")
    daemon, rules = start("written", text)
    end(daemon, rules)
    whole, later = digest(FILE), 0
    for first in range(12):
        rules.fail("open", calls.number_of("EMFILE"), 1000, 1, first)
        daemon = live.Daemon(f"later{first}", text, env=rules.environment())
        wait_until(
            lambda: not daemon.is_running() or "snapshot_" in daemon.output(), daemon.name
        )
        if not daemon.is_running():
            continue
        if "snapshot_unread" in daemon.output():
            expect_equal(digest(FILE), whole, "the snapshot that was not read")
            later += 1
        daemon.wait_for_output("snapshot_restored")
        expect(stat(daemon, "snapshot_restored") >= faults.HOSTS, "answers restored")
        end(daemon, rules)
        whole = digest(FILE)
    expect_equal(later, 1, "starts whose snapshot was read later")


def query_logs_lose_what_is_counted():
    shutil.rmtree(LOG.parent, ignore_errors=True)
    LOG.parent.mkdir(parents=True)
    shutil.chown(LOG.parent, "mxcache", "mxcache")
    daemon, rules = start("log", conf(path="", more=f"query_log = {LOG}\n"))
    for name, loses in (("SHORT", False), ("EINTR", False), ("ENOSPC", True), ("EIO", True)):
        rules.fail("write", calls.number_of(name), 500, calls.FOREVER if not loses else 5)
        wait_until(lambda: ask_new_name() and rules.failed("write") >= 5, name)
        rules.mend()
    asked, lost = stat(daemon, "questions"), stat(daemon, "query_log_lost")
    expect(lost >= 10, f"{lost} lines were lost")
    rules.mend()
    wait_until(lambda: len(LOG.read_text().splitlines()) >= asked - lost, "the lines", 5.0)
    lines = LOG.read_text().splitlines()
    expect_equal(len(lines), asked - lost, f"lines of {asked} questions, {lost} of them lost")
    expect(all(line.startswith("time=") and " wait_us=" in line for line in lines), "half lines")
    end(daemon, rules)


def starts_with_a_failing_call_serve_or_say_why():
    text = conf(more="snapshot_interval = 1s\n")
    rules = Calls("starts")
    for call, name in START_CALLS.items():
        served, ended, tries = 0, 0, faults.choose(3, 40)
        for first in range(tries):
            rules.fail(call, calls.number_of(name), 1000, 1, first)
            daemon = live.Daemon(f"{call}{first}", text, env=rules.environment())
            wait_until(
                lambda: not daemon.is_running() or "notice: started" in daemon.output(),
                daemon.name,
            )
            if daemon.is_running():
                served += 1
                dnswire.ask_udp(SERVER, "h1.example.org", "A", timeout=faults.PATIENCE)
                rules.mend()
                faults.expect_whole(daemon)
                expect_equal(daemon.stop(), 0, f"the exit status of {daemon.name}")
                continue
            ended += 1
            code, said = daemon.process.returncode, daemon.output()
            expect(0 < code < 128, f"{daemon.name}: exit status {code}: {said[-3000:]}")
            expect(said.strip() and "Sanitizer" not in said, f"{daemon.name}: {said[-3000:]}")
        print(f"  {call} with {name}, one of the first {tries}: {served} serve, {ended} end")


if __name__ == "__main__":
    live.run(
        programs_start,
        snapshots_fail_and_are_made_again,
        a_snapshot_that_cannot_be_opened_is_read_later,
        query_logs_lose_what_is_counted,
        starts_with_a_failing_call_serve_or_say_why,
    )
