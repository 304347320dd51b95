# SPDX-License-Identifier: BSD-2-Clause
"""soak.py SOURCE BUILD TOOLS SECONDS [SEED]: a real daemon under a mail load in random weather.

Run by `./dev soak` inside a pod (tests/live/pod): loopback only. Standard output has the series
(lines that begin with @, tab-separated) and then the report; standard error the progress. The
status is 0 when everything held.
"""

import collections
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(sys.argv[1]) / "tests/bench"))
sys.path.insert(0, str(pathlib.Path(sys.argv[1]) / "tests/soak"))

import stage  # noqa: E402  pylint: disable=wrong-import-position
import judge  # noqa: E402  pylint: disable=wrong-import-position
import report  # noqa: E402  pylint: disable=wrong-import-position
import visitors  # noqa: E402  pylint: disable=wrong-import-position
import weathers  # noqa: E402  pylint: disable=wrong-import-position
from stage import live  # noqa: E402  pylint: disable=wrong-import-position

UPSTREAMS = [("127.0.0.2", 5301), ("127.0.0.3", 5301)]
SAMPLE = 10.0  # Seconds.
REST_EVERY = 300.0
REST_TRIES = 40
PATIENCE = 90.0  # Seconds, for the daemon to do as it is told.
SESSIONS = 11.0  # A second; each asks about 50 questions.
FLOOD = 300
DEADLINE_US = 4_000_000
STATE = pathlib.Path("/var/lib/mxcache")
QUERY_LOG = pathlib.Path("/tmp/live/queries.log")
QUERY_LOG_MAX = 16 << 20
CONF = f"""
listen = 127.0.0.1
upstreams = 127.0.0.2@5301 127.0.0.3@5301
control_socket = {live.SOCKET}
metrics_listen = 127.0.0.1@9153
snapshot_file = {STATE}/cache.snapshot
snapshot_interval = 20s
query_log = {QUERY_LOG}
user =
workers = 2
questions_max = 2048
list_route = upstream
"""
# What a reload changes.
CACHE = "cache_size = 16M\n"
CHANGES = (
    "", "hedge_budget = 10\n", "stale_max = 1h\n", "cache_size = 15M\n", "ahead = no\n",
    "try_timeout = 400ms\n", "refresh_rate = 5\n", "ttl_max = 1h\n", "udp_answer_max = 512\n",
)  # fmt: skip


class Crowd(stage.Upstream):
    """The clients; told what to do in the same manner as the upstream."""

    def __init__(self, seed):  # pylint: disable=super-init-not-called
        self.name = "crowd"
        self.log = live.add_log(live.LOGS / "crowd.log")
        self.errors = open(self.log, "wb")  # pylint: disable=consider-using-with
        self.process = subprocess.Popen(
            (stage.TOOLS / "crowd", "-s", str(seed), "127.0.0.1@53"),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True,
        )  # fmt: skip
        live.expect(self.process.stdout.readline() == "ready\n", "the crowd did not start")


class Soak:  # pylint: disable=too-many-instance-attributes
    def __init__(self, seconds, seed):
        self.seconds, self.seed = seconds, seed
        self.dice = random.Random(seed)
        self.found = collections.Counter()
        self.series, self.reloads, self.rests = [], 0, 0
        self.gauges = judge.gauges_read(sys.argv[1])
        self.counters, self.queries = {}, 0
        self.refused_until = 0.0
        self.memory = None
        self.progress = report.Progress()
        options = ("-s", seed, "-m", 15, "-x", 200)
        self.upstream = stage.Upstream(stage.TOOLS / "upstream", options, UPSTREAMS)
        self.daemon = live.Daemon("mxcache", CONF + CACHE, server=("127.0.0.1", 53)).wait_ready()
        stats = self.stats()
        self.asked_by_hand = stats["metrics"]["udp_received"]
        self.descriptors = self.descriptors_kept(stats)
        self.upstream_base = self.upstream.counts()["total"]
        self.crowd = Crowd(seed)
        self.crowd_last = self.crowd.counts()
        self.visitors = visitors.Visitors(seed)
        self.started = time.monotonic()
        self.sampled = self.started

    @property
    def findings(self):
        return self.found

    def findings_told(self):
        return [(count, sentence) for sentence, count in self.found.items()]

    def now(self):
        return time.monotonic() - self.started

    def find(self, sentences):
        for sentence in sentences:
            # Numbers differ from sample to sample; what is told is its first appearance.
            shape = re.sub(r"[\d.]+", "#", sentence)
            known = next((k for k in self.found if re.sub(r"[\d.]+", "#", k) == shape), None)
            if known is None:
                self.progress.tell(f"FOUND at {self.now():.0f} s: {sentence}")
            self.found[known or sentence] += 1

    def stats(self):
        """The machine may be busy with others, who come first."""
        for _ in range(3):
            try:
                return self.daemon.stats()
            except (subprocess.TimeoutExpired, live.Failure):
                live.expect(self.daemon.is_running(), "the daemon has ended")
        return self.daemon.stats()

    # What is done to the daemon.

    def reload(self, more=""):
        before = self.stats()["metrics"]["reloads"]
        self.daemon.config.write_text(CONF + (more if "cache_size" in more else CACHE + more))
        self.daemon.signal(signal.SIGHUP)
        self.wait(lambda: self.stats()["metrics"]["reloads"] > before, "a reload")
        self.reloads += 1

    def wait(self, check, what):
        try:
            live.wait_until(check, what, PATIENCE)
        except live.Failure as failure:
            self.find([str(failure)])

    def query_log_turn(self):
        """As logrotate does it: the old file is counted, and gone."""
        old = QUERY_LOG.with_suffix(".1")
        QUERY_LOG.rename(old)
        self.reload()
        self.wait(QUERY_LOG.exists, "a new query log")
        self.queries += lines_count(old)
        old.unlink()

    def control(self, *words):
        result = live.client(*words, "-s", live.SOCKET)
        if result.returncode != 0:
            self.find([f"mxcache {words[0]} failed: {result.stderr.strip()[-200:]}"])

    def deed_begin(self, deed):
        if deed == "flood":
            self.crowd.tell(f"flood {FLOOD}")
        elif deed == "visitors":
            self.visitors.pause = 0.05
        elif deed == "half-open":
            self.visitors.pause, self.visitors.opens = 0.3, 10

    def deed_go_on(self, deed):
        """At each sample."""
        if deed == "reload":
            self.reload(self.dice.choice(CHANGES))
            self.daemon.signal(signal.SIGHUP)
            self.daemon.signal(signal.SIGHUP)
        elif deed == "flush":
            self.control("flush", f"d{self.dice.randrange(5000)}.bench")
            self.control("flush", "zen.spamhaus.org")
        elif deed == "visitors":
            self.control("slow")
            self.control("stats")

    def deed_end(self, deed):
        if deed == "flood":
            self.crowd.tell("flood 0")
        elif deed == "reload":
            self.reload()
        elif deed == "flush" and self.dice.random() < 0.1:
            self.control("flush", "--all")
        self.visitors.wake()

    # What is seen.

    def process_numbers(self):
        pid = self.daemon.process.pid
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        return {
            "rss_kb": int(re.search(r"VmRSS:\s+(\d+)", status)[1]),
            "threads": int(re.search(r"Threads:\s+(\d+)", status)[1]),
            "descriptors": len(os.listdir(f"/proc/{pid}/fd")),
        }

    def failed_since(self, crowd):
        """(about lists, about other names), failed and silent."""
        return tuple(
            sum(crowd[key] - self.crowd_last[key] for key in keys)
            for keys in (("lists_failed", "lists_silent"), ("failed", "silent"))
        )

    def check_failures(self, weather, crowd):
        lists, others = self.failed_since(crowd)
        asked = crowd["asked"] - self.crowd_last["asked"]
        if weather.may_fail == weathers.LISTS:
            self.refused_until = self.now() + weathers.REFUSAL_KEPT
        if weather.may_fail == weathers.EVERYBODY:
            return
        allowed = asked * weathers.RARE if weather.may_fail == weathers.RARELY else 0
        if self.now() < self.refused_until:
            lists = 0
        if lists + others > allowed:
            self.find([f"in {weather.name}: {lists} + {others} of {asked} questions failed"])

    def check_process(self, stats, numbers):
        if not self.daemon.is_running():
            raise live.Failure(f"the daemon has ended: {self.daemon.output()[-2000:]}")
        for line in self.daemon.output().splitlines():
            if re.search(r"Z (error|critical): |must\(|Sanitizer", line):
                self.find([f"in the log: {line}"])
        before = {key: value for key, value in self.counters.items()}
        self.counters = judge.counters_of(stats, self.gauges)
        self.find(judge.check_growth(before, self.counters))
        self.find(judge.check_bounds(stats, DEADLINE_US))
        self.find(judge.check_sums(stats, judge.SLACK))
        if numbers["threads"] > 8:
            self.find([f"there are {numbers['threads']} threads"])

    def sample(self, period):
        now = time.monotonic()
        stats, crowd, numbers = self.stats(), self.crowd.counts(), self.process_numbers()
        self.check_process(stats, numbers)
        self.check_failures(period.weather, crowd)
        if crowd["wrong"] > self.crowd_last["wrong"]:
            told = live.read_log(self.crowd.log).splitlines()
            self.find([f"wrong answers, the first: {told[0] if told else ''}"])
        seconds = now - self.sampled
        asked = crowd["asked"] - self.crowd_last["asked"]
        row = {
            "time": now - self.started, "seconds": seconds, "weather": period.weather.name,
            "deed": period.deed, "rate": asked / max(seconds, 0.001), "asked_now": asked,
            "failed_now": sum(self.failed_since(crowd)), "findings": len(self.found), **numbers,
            **{key: crowd[key] for key in ("p50_us", "p99_us", "worst_us", "under_way", "wrong")},
            **stats["metrics"],
        }  # fmt: skip
        if not self.series:
            print(report.series_head(row), flush=True)
        print(report.series_line(row), flush=True)
        self.series.append(row)
        self.progress.show(row, self.seconds)
        self.crowd_last, self.sampled = crowd, now
        if QUERY_LOG.stat().st_size > QUERY_LOG_MAX:
            self.query_log_turn()

    # Rests: nothing is under way, and everything must agree to the last question.

    def descriptors_kept(self, stats):
        """Without those that come and go with clients and with questions upstream."""
        metrics = stats["metrics"]
        passing = ("upstream_sockets", "upstream_connections", "tcp_clients")
        return self.process_numbers()["descriptors"] - sum(metrics[name] for name in passing)

    def is_quiet(self):
        metrics = self.stats()["metrics"]
        busy = ("questions_waiting", "fetches_running", "tcp_clients")
        return all(metrics[name] == 0 for name in busy)

    def rest(self, period):
        self.visitors.rest()
        self.crowd.tell("end")
        self.wait(self.is_quiet, "everything to come to rest")
        self.sample(period)
        # The daemon has work of its own, and a thread writes its log: what agrees once agrees.
        for _ in range(REST_TRIES):
            found = list(self.rest_findings())
            if not found:
                break
            time.sleep(0.5)
        self.find(f"at rest: {sentence}" for sentence in found)
        self.rests += 1
        self.crowd.tell(f"rate {SESSIONS}")
        self.visitors.wake()

    def rest_findings(self):
        stats, crowd, upstream = self.stats(), self.crowd.counts(), self.upstream.counts()
        metrics = stats["metrics"]
        yield from judge.check_sums(stats, 0)
        pairs = (
            ("asked by the crowd = received",
             crowd["asked"] + crowd["retries"] + self.asked_by_hand,
             metrics["udp_received"] + metrics["udp_lost_in_kernel"]),
            ("asked by visitors = received", self.visitors.tcp_questions, metrics["tcp_received"]),
            ("questions of the crowd = their ends", crowd["asked"], ends_of(crowd)),
            ("lines of the query log = answers", self.queries + lines_count(QUERY_LOG),
             judge.answers_of(metrics) - metrics["query_log_dropped"] - metrics["query_log_lost"]),
            ("what upstream has seen = sent", upstream["total"] - self.upstream_base,
             metrics["upstream_sent"]),
            ("metrics scraped", self.visitors.http_requests, metrics["http_requests"]),
            ("descriptors kept", self.descriptors_kept(stats), self.descriptors),
        )  # fmt: skip
        yield from (f"{what}: {one} and {other}" for what, one, other in pairs if one != other)

    # The whole.

    def period(self, period):
        begun = time.monotonic()
        for command in period.weather.begin:
            live.expect_equal(self.upstream.tell(command), "ok", command)
        self.deed_begin(period.deed)
        end = min(begun + period.seconds, self.started + self.seconds)
        turn = None if period.weather.begin_for is None else begun + period.weather.begin_for
        while time.monotonic() < end:
            self.deed_go_on(period.deed)
            until = min(self.sampled + SAMPLE, end, turn or end)
            time.sleep(max(0.2, until - time.monotonic()))
            if turn is not None and time.monotonic() >= turn:
                self.weather_end(period.weather)
                turn = None
            if time.monotonic() >= min(self.sampled + SAMPLE, end):
                self.sample(period)
        if period.weather.begin_for is None or turn is not None:
            self.weather_end(period.weather)
        self.deed_end(period.deed)

    def weather_end(self, weather):
        for command in weather.end:
            live.expect_equal(self.upstream.tell(command), "ok", command)

    def run(self):
        self.crowd.tell(f"rate {SESSIONS}")
        last_rest = 0.0
        for period in weathers.schedule(self.dice):
            if self.now() >= self.seconds:
                break
            self.period(period)
            if self.now() - last_rest > REST_EVERY:
                self.rest(period)
                last_rest = self.now()
        self.rest(weathers.Period(weathers.Weather("calm"), "none", 0))
        self.memory = judge.Memory(self.series, self.seconds)
        self.find(self.memory.findings())
        self.find(f"a visitor: {sentence}" for sentence in set(self.visitors.complaints))
        self.end()

    def end(self):
        """A clean end, and a snapshot that the next start takes."""
        self.visitors.is_over = True
        self.crowd.process.stdin.close()
        self.crowd.process.wait(10)
        status = self.daemon.stop()
        if status != 0 or "notice: ended:" not in self.daemon.output():
            self.find([f"the daemon ended with {status}: {self.daemon.output()[-500:]}"])
        kept = self.series[-1]["cache_entries"]
        second = live.Daemon("second", CONF + CACHE).wait_ready()
        restored = live.wait_until(
            lambda: second.stats()["metrics"]["snapshot_restored"], "the snapshot to be read"
        )
        second.stop()
        self.restored, self.kept = restored, kept
        if restored < kept * 0.5:
            self.find([f"of {kept} answers the snapshot brought back {restored}"])

    def summary(self):
        crowd, last = self.crowd_last, self.series[-1]
        yield (
            f"answers: {crowd['answered'] - crowd['wrong']} true, {crowd['wrong']} wrong;"
            f" failed or silent: {crowd['failed'] + crowd['silent']} in weather that"
            f" explains it, {crowd['lists_failed'] + crowd['lists_silent']} of lists"
        )
        worst = max(row["worst_us"] for row in self.series)
        yield (
            f"descriptors at rest: {self.descriptors} beside sockets to upstream, first and last;"
            f" the longest time from a question to its last answer {worst / 1e6:.2f} s"
        )
        yield (
            f"sent upstream {last['upstream_sent']}, by TCP {last['upstream_sent_stream']};"
            f" {last['cache_evictions']} evictions, {last['snapshots_written']} snapshots,"
            f" {last['reloads']} reloads; {self.restored} of {self.kept} answers after the restart"
        )


def lines_count(path):
    with open(path, "rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))


def ends_of(crowd):
    names = ("answered", "lists_failed", "lists_silent", "failed", "silent")
    return sum(crowd[name] for name in names)


def main():
    build, tools = map(pathlib.Path, sys.argv[2:4])
    seconds = float(sys.argv[4])
    seed = int(sys.argv[5]) if len(sys.argv) > 5 else 1
    stage.peers_install(None, [])
    stage.tools_install(build, tools, ("upstream", "crowd"))
    for folder in (STATE, pathlib.Path(live.SOCKET).parent):
        folder.mkdir(mode=0o755, exist_ok=True)
    soak = Soak(seconds, seed)
    try:
        soak.run()
    except Exception:
        live.report()
        raise
    print("\n".join(report.document(soak)))
    if soak.findings:
        live.report()
        sys.exit(1)


main()
