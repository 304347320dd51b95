# SPDX-License-Identifier: BSD-2-Clause
"""Two to eight workers under load, with everything that the main thread can do to them meanwhile.

Clients ask by UDP and TCP, and each question must be answered; operators reload, flush, trace and
look, as fast as they can; snapshots, the query log and dnstap are written. Afterwards the counts
must add up to what was asked. In a build with the thread sanitizer (`./dev tsan`) the first race
ends the daemon.
"""

import collections
import itertools
import os
import pathlib
import random
import shutil
import signal
import socket
import sys
import threading
import time
import urllib.request

import dnswire
import faults
import live
from faults import FIRST, HOSTS, SECOND, SERVER, choose
from live import expect, expect_equal, wait_until

DEBS = pathlib.Path(sys.argv[3])
SECONDS = choose(2.5, 30.0)
LATE = 64
TAP = "/run/mxcache/dnstap.sock"
FOLDER = pathlib.Path("/var/log/mxcache")
ZONE = faults.ZONE + """
bl.example. 3600 SOA ns.example. host.example. 1 3600 900 604800 300
2.0.0.127.bl.example. 3600 A 127.0.0.2
refusing.example. 3600 SOA ns.example. host.example. 1 3600 900 604800 300
!refused refusing.example.
!servfail broken.example.org.
!truncate large.example.org.
large.example.org. 3600 TXT "more than fits, if need be"
!delay late.example.org. 60ms
late.example.org. 1 A 192.0.2.11
""" + "".join(
    f"!delay late{n}.example.org. 300ms\nlate{n}.example.org. 60 A 192.0.2.{n}\n" for n in range(LATE)
) + "".join(f"{n}.2.0.192.bl.example. 60 A 127.0.0.4\n" for n in range(100))

os.environ["TSAN_OPTIONS"] = "halt_on_error=1 exitcode=66 suppressions=" + str(
    live.SOURCE / "tests/support/tsan.supp"
)


def config(workers, turn):
    """Each turn is another one: what a reload may change, changes."""
    upstreams = (f"{FIRST} {SECOND}", f"{SECOND} {FIRST}", FIRST)[turn % 3]
    zone = (
        f"[upstream second]\nservers = {SECOND}\n[zone example.org]\nupstream = second\n",
        "[zone bl.example]\nroute = upstream\n",
        "",
    )[turn % 3]
    return faults.conf(
        upstreams,
        f"workers = {workers}\nmetrics_listen = 127.0.0.1@9153\nsnapshot_interval = 1s\n"
        f"query_log = {FOLDER}/questions.log\ndnstap = {TAP}\ntcp_clients_max = 64\n"
        f"cache_size = {(4, 1, 8)[turn % 3]}M\nlist_share = {(25, 5)[turn % 2]}\n"
        f"ttl_max = {(86400, 2)[turn % 2]}s\nlog_level = {('notice', 'debug')[turn % 2]}\n"
        f"list_action = {('servfail', 'pass', 'nxdomain')[turn % 3]}\n"
        f"allow = 127.0.0.0/8{(' ::1', '')[turn % 2]}\n{zone}"
        f"[list bl.example]\nkind = ip\n{('', '[list refusing.example]' + chr(10))[turn % 2]}",
    ).replace("metrics_listen =\n", "", 1)


class Crowd:
    """Clients, each of which asks again as soon as it has its answer."""

    serials = itertools.count()

    def __init__(self, streams=2, datagrams=6):
        self.failures, self.asked = collections.Counter(), collections.Counter()
        self.must_end = threading.Event()
        self.threads = [threading.Thread(target=self.over_udp) for _ in range(datagrams)]
        self.threads += [threading.Thread(target=self.over_tcp) for _ in range(streams)]
        for thread in self.threads:
            thread.start()

    def question(self):
        """Mostly what is cached; of each kind of miss, some."""
        number = random.randrange(HOSTS)
        kind = random.randrange(20)
        if kind < 10:
            return f"h{number}.example.org", "A", [f"192.0.2.{number}"]
        if kind < 13:
            return f"u{next(self.serials)}.example.org", "A", []
        if kind < 16:
            listed = [] if number >= 100 else ["127.0.0.4"]
            return f"{number}.2.0.192.bl.example", "A", listed
        return random.choice((
            ("late.example.org", "A", None),
            ("broken.example.org", "A", None),
            ("large.example.org", "TXT", None),
            (f"{number}.2.0.192.refusing.example", "A", None),
            (f"h{number}.example.org", "MX", None),
            ("localhost", "A", None),
        ))

    def judge(self, name, wanted, answer, ident):
        found = answer.addresses()
        if answer.id != ident or answer.questions[0][0] != name + ".":
            self.failures["an answer to another question"] += 1
        elif wanted is not None and found != wanted:
            self.failures[f"{name}: rcode {answer.rcode}, {found}"] += 1

    def over_udp(self):
        while not self.must_end.is_set():
            name, qtype, wanted = self.question()
            ident = random.randrange(65536)
            self.asked["udp"] += 1
            try:
                answer = dnswire.ask_udp(SERVER, name, qtype, timeout=faults.PATIENCE, ident=ident)
            except OSError as error:
                self.failures[f"UDP, {name}: {type(error).__name__}"] += 1
                continue
            self.judge(name, wanted, answer, ident)

    def stream_turn(self):
        """Five questions at once on a line of their own."""
        asked = {}
        with dnswire.Stream(SERVER, timeout=faults.PATIENCE) as stream:
            for ident in random.sample(range(65536), 5):
                asked[ident] = self.question()
            stream.send(*(dnswire.query(name, qtype, ident) for ident, (name, qtype, _) in asked.items()))
            self.asked["tcp"] += len(asked)
            for _ in range(len(asked)):
                answer = stream.receive()
                name, _, wanted = asked.pop(answer.id)
                self.judge(name, wanted, answer, answer.id)

    def over_tcp(self):
        while not self.must_end.is_set():
            try:
                self.stream_turn()
            except (OSError, KeyError) as error:
                self.failures[f"TCP: {error!r}"] += 1

    def end(self):
        self.must_end.set()
        for thread in self.threads:
            thread.join()


class Operators:
    """Those who look at the daemon and change it, one thread for each way in."""

    def __init__(self, daemon, workers):
        self.daemon, self.workers = daemon, workers
        self.done, self.failures = collections.Counter(), collections.Counter()
        self.must_end = threading.Event()
        ways = (self.look, self.look, self.change, self.hang_up, self.scrape)
        self.threads = [threading.Thread(target=self.again_and_again, args=(way,)) for way in ways]
        for thread in self.threads:
            thread.start()

    def again_and_again(self, way):
        while not self.must_end.is_set():
            try:
                way()
            except OSError as error:
                self.failures[f"{way.__name__}: {error!r}"] += 1
            time.sleep(0.01)

    def say(self, *lines):
        """Several commands on one connection; each must end well."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(live.LIMIT)
            sock.connect(live.SOCKET)
            answers = []
            with sock.makefile("rb") as reader:
                for line in lines:
                    sock.sendall(line.encode() + b"\n")
                    answer = list(iter(reader.readline, b".\n"))
                    if not answer or answer[0] != b"ok\n":
                        self.failures[f"{line}: {answer[:1]}"] += 1
                    self.done[line.split()[0]] += 1
                    answers.append(b"".join(answer).decode())
            return answers

    def look(self):
        number = random.randrange(HOSTS)
        self.say("stats", "slow", "slow failed names", "upstreams", "stats since 600",
                 f"lookup h{number}.example.org A", f"lookup {number}.2.0.192.bl.example A")
        started, = self.say(f"trace start h{number}.example.org A")
        ident = next(line.split()[1] for line in started.splitlines() if line.startswith("trace "))
        self.say(f"trace look {ident} 0")

    def change(self):
        self.say(f"flush name h{random.randrange(HOSTS)}.example.org", "flush under bl.example",
                 "reload")
        if random.random() < 0.2:
            self.say("flush all")

    def hang_up(self):
        beside = self.daemon.config.with_suffix(".new")
        beside.write_text(config(self.workers, random.randrange(6)))
        beside.rename(self.daemon.config)
        self.daemon.signal(signal.SIGHUP)
        self.done["SIGHUP"] += 1
        time.sleep(0.05)

    def scrape(self):
        for path in ("metrics", "healthz", ""):
            with urllib.request.urlopen(f"http://127.0.0.1:9153/{path}", timeout=live.LIMIT) as page:
                page.read()
            self.done["HTTP"] += 1

    def end(self):
        self.must_end.set()
        for thread in self.threads:
            thread.join()


def is_quiet(daemon):
    metrics = daemon.stats()["metrics"]
    return metrics["fetches_running"] == 0 and metrics["questions_waiting"] == 0


def check_counts(daemon, asked):
    """What the workers count, each for itself, adds up to what was asked, in each form."""
    wait_until(lambda: is_quiet(daemon), "the end of all that was asked upstream")
    stats = daemon.stats()
    metrics = stats["metrics"]
    expect_equal(metrics["udp_received"], asked["udp"], "questions by UDP")
    expect_equal(metrics["tcp_received"], asked["tcp"], "questions by TCP")
    expect_equal(metrics["udp_sent"] + metrics["udp_unsent"], asked["udp"], "answers by UDP")
    expect_equal(metrics["tcp_sent"], asked["tcp"], "answers by TCP")
    total = asked["udp"] + asked["tcp"]
    expect_equal(metrics["questions"], total, "questions")
    rcodes = ("noerror", "nxdomain", "servfail", "other")
    expect_equal(sum(metrics["answers_" + rcode] for rcode in rcodes), total, "answers by rcode")
    for form in ("classes", "outcomes"):
        expect_equal(sum(row["count"] for row in stats[form].values()), total, f"answers by {form}")
        waits = sum(bucket["count"] for row in stats[form].values() for bucket in row["wait"]["buckets"])
        expect_equal(waits, total, f"waits by {form}")
    for name in ("query_log_dropped", "query_log_lost", "udp_lost_in_kernel", "tcp_refused"):
        expect_equal(metrics[name], 0, name)
    return total


def check_log(path, total):
    """A line for each question of the load, and each line whole."""
    lines = path.read_text().splitlines()
    expect_equal(len(lines), total, "lines of the query log")
    torn = [line for line in lines if line.count(" client=") != 1 or not line.startswith("time=")]
    expect_equal(torn, [], "torn lines of the query log")


def collector_start():
    if not shutil.which("fstrm_capture"):
        needed = ("fstrm-bin_*.deb", "libfstrm0_*.deb", "libevent-2.1-7_*.deb")
        live.unpack("fstrm-unpack", *(deb for name in needed for deb in DEBS.glob(name)))
    pathlib.Path(TAP).unlink(missing_ok=True)
    collector = live.Program(
        "fstrm_capture", "fstrm_capture", "-t", "protobuf:dnstap.Dnstap", "-u", TAP, "-w", "/dev/null"
    )
    wait_until(pathlib.Path(TAP).exists, "the collector's socket")
    os.chmod(TAP, 0o666)
    return collector


def threads_that_worked(daemon):
    """How many threads have often been woken up."""
    woken = 0
    for task in pathlib.Path(f"/proc/{daemon.process.pid}/task").iterdir():
        lines = (task / "status").read_text().splitlines()
        switches = next(line for line in lines if line.startswith("voluntary_ctxt_switches:"))
        woken += int(switches.split()[1]) >= 50
    return woken


def try_workers(workers):
    log = FOLDER / "questions.log"
    log.unlink(missing_ok=True)
    daemon = live.Daemon(f"workers{workers}", config(workers, 0))
    wait_until(lambda: live.client("stats", "-s", live.SOCKET).returncode == 0, daemon.name)
    operators, crowd = Operators(daemon, workers), Crowd()
    time.sleep(SECONDS)
    operators.end()
    crowd.end()
    faults.expect_whole(daemon)
    print(f"  {workers} workers: {dict(crowd.asked)} questions; {dict(operators.done)}")
    expect_equal(dict(crowd.failures), {}, "what went wrong with questions")
    expect_equal(dict(operators.failures), {}, "what went wrong with commands")
    total = check_counts(daemon, crowd.asked)
    busy = threads_that_worked(daemon)
    expect(busy >= workers, f"only {busy} threads have worked")
    expect_equal(daemon.stop(), 0, "the exit code")
    expect("Sanitizer" not in daemon.output(), daemon.output()[-3000:])
    check_log(log, total)


def workers_serve_everybody():
    FOLDER.mkdir()
    shutil.chown(FOLDER, "mxcache", "mxcache")
    live.Upstream("first", ZONE, FIRST)
    live.Upstream("second", ZONE, SECOND)
    collector = collector_start()
    for workers in (2, 4, 8):
        try_workers(workers)
    expect(collector.is_running(), "the collector has ended")


def a_stop_loses_no_question():
    """What has come before the signal is answered, whichever worker it waits in."""
    daemon = live.Daemon("stopped", config(4, 0)).wait_ready()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(faults.PATIENCE)
        sock.connect(SERVER)
        for number in range(LATE):
            sock.send(dnswire.query(f"late{number}.example.org", "A", ident=number))
        daemon.signal(signal.SIGTERM)
        answers = [dnswire.Answer(sock.recv(4096)) for _ in range(LATE)]
    found = sorted((answer.id, *answer.addresses()) for answer in answers)
    expect_equal(found, [(n, f"192.0.2.{n}") for n in range(LATE)], "answers at the end")
    expect_equal(daemon.wait(), 0, "the exit code")
    expect("Sanitizer" not in daemon.output(), daemon.output()[-3000:])


live.run(workers_serve_everybody, a_stop_loses_no_question)
