# SPDX-License-Identifier: BSD-2-Clause
"""Clocks that jump and a host that sleeps: the answers' ages, snapshots, certificates, blame.

The wall clock is for people and certificates; the clock that goes on in sleep is for TTLs.
"""

import datetime
import pathlib
import random
import shutil
import signal
import socket
import ssl
import threading
import time

import calls
import dnswire
import faults
import live
import test_tls
from calls import Calls
from faults import FILE, FIRST, SERVER, conf, stat, wait_stat
from live import expect, expect_equal, wait_until

DAY, HOUR = 86400.0, 3600.0
NAP = 8 * HOUR
TTL, LONG_TTL = 3600, 86400
BOOT_ID = "/proc/sys/kernel/random/boot_id"
LOG = pathlib.Path("/var/log/mxcache/query.log")
programs = {}


def programs_start():
    calls.prepare()
    shutil.rmtree(FILE.parent, ignore_errors=True)
    LOG.parent.mkdir(parents=True, exist_ok=True)
    shutil.chown(LOG.parent, "mxcache", "mxcache")
    zone = faults.ZONE + f"long.example.org. {LONG_TTL} A 192.0.2.99\n"
    programs["first"] = live.Upstream("first", zone, FIRST)
    test_tls.certificate_make()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(test_tls.CERTIFICATE, test_tls.KEY)
    listener = socket.create_server(test_tls.FRONT)
    threading.Thread(target=test_tls.front_serve, args=(listener, context), daemon=True).start()


def start(rules, name, text, **environment):
    return live.Daemon(name, text, env=rules.environment(**environment)).wait_ready()


def end(daemon):
    faults.expect_whole(daemon)
    expect_equal(daemon.stop(), 0, f"the exit status of {daemon.name}")


def ttl_of(name, limit=faults.PATIENCE):
    answer = dnswire.ask_udp(SERVER, f"{name}.example.org", "A", timeout=limit)
    expect_equal(len(answer.answers), 1, f"records of {name}")
    return answer.answers[0][2]


def asked_about_hosts():
    return programs["first"].questions("udp h")


def last_logged():
    """When the last line of the query log says that it was."""
    stamp = LOG.read_text().splitlines()[-1].split()[0].removeprefix("time=")
    return datetime.datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()


def wall_clock_jumps_change_no_answer():
    rules = Calls("jumps")
    text = conf(more=f"snapshot_interval = 1s\nquery_log = {LOG}\n")
    daemon = start(rules, "jumps", text)
    faults.expect_hosts(range(faults.HOSTS))
    asked, began, first = asked_about_hosts(), time.monotonic(), ttl_of("h1")
    for shift in (DAY, -DAY, 3650 * DAY, -3650 * DAY, 0) * faults.choose(1, 20):
        crowd = faults.Crowd()
        written = stat(daemon, "snapshots_written")
        rules.shift(wall_s=shift)
        wait_stat(daemon, "snapshots_written", written + 1)
        crowd.expect_served(f"the wall clock off by {shift / DAY:.0f} days")
        gone = time.monotonic() - began
        ttl = ttl_of("h1")
        expect(first - gone - 2 <= ttl <= first, f"a TTL of {ttl} after {first}, {gone:.0f} s ago")
        wait_until(
            lambda: abs(last_logged() - time.time() - shift) < 10, "the query log's time"
        )
        expect(0 <= stat(daemon, "snapshot_age_s") < 60, "the age of the snapshot")
        stamp = daemon.output().splitlines()[-1].split()[0]
        expect(stamp.endswith("Z"), f"the log's time: {stamp}")
    expect_equal(asked_about_hosts(), asked, "questions upstream about what is cached")
    expect_equal(stat(daemon, "cache_stale_hits"), 0, "stale answers")
    end(daemon)


def write_and_read(name, write_shift, read_shift, boot_id=None):
    """A daemon that has read at one time what another one has written at another, in another run of
    the system if that has an id; and the TTL then."""
    rules = Calls(name)
    shutil.rmtree(FILE.parent, ignore_errors=True)
    rules.shift(wall_s=write_shift)
    if boot_id:
        live.run_quietly("setup", "mount", "--bind", boot_id, BOOT_ID)
    try:
        daemon = start(rules, f"{name}-writes", conf())
        faults.expect_hosts(range(faults.HOSTS))
        ttl = ttl_of("h1")
        end(daemon)
    finally:
        if boot_id:
            live.run_quietly("setup", "umount", BOOT_ID)
    rules.shift(wall_s=read_shift)
    daemon = start(rules, f"{name}-reads", conf())
    daemon.wait_for_output("snapshot_restored")
    return daemon, ttl


def expect_fresh_from_memory(daemon, ttl):
    programs["first"].signal(signal.SIGSTOP)
    faults.expect_hosts(range(faults.HOSTS), 1.0)
    now = ttl_of("h1", 1.0)
    expect(ttl - 60 <= now <= ttl, f"a TTL of {now}, and {ttl} before the restart")
    expect_equal(stat(daemon, "cache_stale_hits"), 0, "stale answers")
    programs["first"].signal(signal.SIGCONT)
    end(daemon)


def snapshots_of_this_boot_are_as_old_as_they_are():
    for number, (write, read) in enumerate(((0, DAY), (0, -DAY), (DAY, 0), (-DAY, 0))):
        expect_fresh_from_memory(*write_and_read(f"boot{number}", write, read))


def snapshots_of_another_boot_go_by_the_wall_clock():
    """One from the future is no younger than when it was written."""
    other = pathlib.Path("/tmp/boot_id")
    other.write_text("00000000-1111-2222-3333-444444444444\n")
    expect_fresh_from_memory(*write_and_read("future", DAY, 0, other))
    expect_fresh_from_memory(*write_and_read("present", 0, 0, other))
    daemon, ttl = write_and_read("past", 0, HOUR / 2, other)
    now = ttl_of("h1")
    expect(ttl - 1860 <= now <= ttl - 1800, f"a TTL of {now}, half an hour after one of {ttl}")
    end(daemon)


def certificates_are_judged_by_the_wall_clock():
    text = conf(f"{test_tls.FRONT[0]}#{test_tls.NAME}", path="")
    cases = [(30 * DAY, "expired"), (-30 * DAY, "valid only from")]
    for shift, word in faults.choose(random.sample(cases, 1), cases):
        name = f"tls-{word.split()[0]}"
        rules = Calls(name)
        daemon = start(rules, name, text, SSL_CERT_FILE=str(test_tls.CERTIFICATE))
        faults.expect_hosts(range(10))
        rules.shift(wall_s=shift)
        faults.expect_hosts(range(20))  # Who has been trusted need not prove it again.
        end(daemon)
        daemon = start(rules, f"{name}-anew", text, SSL_CERT_FILE=str(test_tls.CERTIFICATE))
        answer = dnswire.ask_udp(SERVER, "h1.example.org", "A")
        expect_equal(answer.rcode, dnswire.SERVFAIL, f"an answer by a certificate that is {word}")
        daemon.wait_for_output("upstream_untrusted")
        expect(word in daemon.output(), f"nothing is said of {word}: {daemon.output()}")
        rules.shift()
        began = time.monotonic()
        wait_until(
            lambda: dnswire.ask_udp(SERVER, "h2.example.org", "A").rcode == dnswire.NOERROR,
            "an answer when the clock is right again", 15.0,
        )  # fmt: skip
        print(f"  {word}: well {time.monotonic() - began:.1f} s after the clock is right")
        end(daemon)


class Waiting:
    """Questions that have been asked, for new names."""

    serial = 0

    def __init__(self, count):
        self.socks = []
        for _ in range(count):
            Waiting.serial += 1
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.settimeout(10.0)
            sock.connect(SERVER)
            sock.send(dnswire.query(f"w{Waiting.serial}.example.org", "A"))
            self.socks.append(sock)

    def rcodes(self):
        found = []
        for sock in self.socks:
            found.append(dnswire.Answer(sock.recv(4096)).rcode)
            sock.close()
        return found


def blame_of(daemon):
    return [
        {key: row[key] for key in ("address", "state", "failed", "timed_out", "lost") if key in row}
        for row in daemon.stats()["upstreams"]
    ]


def sleep_once(daemon, rules, stopped_s, boot_s, slept):
    """Stops the daemon while it is asked and waits for upstream, and lets its clocks go on by so
    much. True: it fell asleep before any try could count as lost."""
    crowd, upstream = faults.Crowd(), programs["first"]
    time.sleep(0.2)
    before = blame_of(daemon)
    began = time.monotonic()
    upstream.signal(signal.SIGSTOP)
    waiting = Waiting(30)
    time.sleep(0.03)
    daemon.signal(signal.SIGSTOP)
    is_prompt = time.monotonic() - began < 0.15
    upstream.signal(signal.SIGCONT)  # Its replies come while nobody is there.
    time.sleep(stopped_s)
    rules.shift(wall_s=boot_s, boot_s=boot_s)
    daemon.signal(signal.SIGCONT)
    began = time.monotonic()
    faults.expect_hosts((random.randrange(faults.HOSTS),), 1.0)
    first_ms = 1e3 * (time.monotonic() - began)
    rcodes = waiting.rcodes()
    expect_equal(set(rcodes), {dnswire.NXDOMAIN}, "answers for those who waited when it slept")
    took = time.monotonic() - began
    crowd.expect_served(f"asleep {slept}: first answer after {first_ms:.0f} ms, last {took:.1f} s")
    if is_prompt:
        expect_equal(blame_of(daemon), before, "what is held against upstream")
    return is_prompt


def sleep_is_nobodys_fault():
    rules = Calls("sleep")
    daemon = start(rules, "sleep", conf(path=""))
    faults.expect_hosts(range(faults.HOSTS))
    for _ in range(25):
        ttl_of(f"h{random.randrange(faults.HOSTS)}")
    long_ttl, boot_s, prompt = ttl_of("long"), 0.0, 0
    rounds = faults.choose(2, 10)
    for number in range(rounds):
        asked, sleeps = asked_about_hosts(), stat(daemon, "sleeps")
        nap = NAP if number % 2 else 0.0
        boot_s += nap
        length = faults.choose(2.0, 4.0)
        prompt += sleep_once(daemon, rules, length, boot_s, f"{nap / HOUR:.0f} h")
        wait_stat(daemon, "sleeps", sleeps + 1)
        faults.expect_hosts(range(faults.HOSTS), 1.0)
        renewed = asked_about_hosts() - asked
        expect(nap == 0 or renewed >= faults.HOSTS, f"{renewed} hosts were asked again")
        expect(nap > 0 or renewed == 0, f"{renewed} hosts were asked again for nothing")
        if boot_s < LONG_TTL:
            ttl = ttl_of("long")
            expect(abs(long_ttl - boot_s - ttl) < 60, f"a TTL of {ttl}, {long_ttl} before {boot_s}")
        expect(ttl_of("h1") <= TTL, "a TTL beyond upstream's")
    print(f"  fell asleep at once: {prompt} of {rounds} times")
    end(daemon)


if __name__ == "__main__":
    live.run(
        programs_start,
        wall_clock_jumps_change_no_answer,
        snapshots_of_this_boot_are_as_old_as_they_are,
        snapshots_of_another_boot_go_by_the_wall_clock,
        certificates_are_judged_by_the_wall_clock,
        sleep_is_nobodys_fault,
    )
