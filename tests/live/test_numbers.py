# SPDX-License-Identifier: BSD-2-Clause
"""The numbers agree: a known load is found in each form of the statistics, to the question."""

import socket
import time

import dnswire
import exposition
import live
from live import expect, expect_equal, wait_until

SERVER = ("127.0.0.1", 53)
WORLD = (live.SOURCE / "tests/support/small_mail_world.zone").read_text() + """
old.example.com. 1 A 203.0.113.9
!delay old.example.com. 700ms
bl.example. 3600 SOA ns.example. host.example. 1 3600 900 604800 300
2.0.0.127.bl.example. 3600 A 127.0.0.2
9.2.0.192.bl.example. 3600 A 127.0.0.4
"""
CONFIG = f"""
listen = 127.0.0.1
upstreams = 127.0.0.2@53
control_socket = {live.SOCKET}
metrics_listen = 127.0.0.1@9153
list_tests = no
ahead = no
[list bl.example]
kind = ip
"""
CLASSES = ("mx", "a", "aaaa", "ptr", "txt", "tlsa", "list", "other")
OUTCOMES = ("hit", "stale", "joined", "miss", "local", "failed")

# Asking for the numbers moves these, or time does.
MOVING = {
    "http_requests",
    "control_accepted",
    "udp_lost_in_kernel",
    "snapshot_age_s",
    "upstream_sockets",
}

wanted = {(name, outcome): 0 for name in CLASSES for outcome in OUTCOMES}
sent = {"udp": 0, "tcp": 0}


def ask(kind, name, qtype, outcomes, over="udp"):
    """One question for each outcome named, in that order."""
    for outcome in outcomes:
        (dnswire.ask_udp if over == "udp" else dnswire.ask_tcp)(SERVER, name, qtype)
        sent[over] += 1
        wanted[kind, outcome] += 1


def ask_at_once(kind, name, qtype, outcomes):
    """The same, but nobody waits for another's answer."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in outcomes]
    for number, sock in enumerate(sockets):
        sock.settimeout(dnswire.TIMEOUT)
        sock.connect(SERVER)
        sock.send(dnswire.query(name, qtype, ident=number))
    for sock, outcome in zip(sockets, outcomes):
        sock.recv(4096)
        sock.close()
        sent["udp"] += 1
        wanted[kind, outcome] += 1


def send_nonsense():
    """A query without a question gets FORMERR; what is no query at all gets nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(dnswire.TIMEOUT)
        sock.connect(SERVER)
        sock.send(b"abc")
        sock.send(b"\0\1\1\0" + bytes(8))
        expect_equal(dnswire.Answer(sock.recv(512)).rcode, dnswire.FORMERR, "rcode for nonsense")
    sent["udp"] += 2
    wanted["other", "local"] += 1


def nothing_is_under_way():
    metrics = live.Daemon.stats(None)["metrics"]
    return metrics["fetches_running"] == 0 and metrics["questions_waiting"] == 0


def a_known_load():
    live.Upstream("upstream", WORLD, "127.0.0.2@53")
    live.Daemon("mxcache", CONFIG)
    wait_until(lambda: live.client("stats", "-s", live.SOCKET).returncode == 0, "mxcache")
    hits = ["hit"] * 100
    ask("a", "old.example.com", "A", ["miss"])
    ended = time.monotonic()
    ask("mx", "example.org", "MX", ["miss", *hits[:39]])
    ask("mx", "no-such-name.example.org", "MX", ["miss", *hits[:4]])
    ask("a", "www.example.org", "A", ["miss", *hits[:6]])
    ask("a", "www.example.org", "A", hits[:3], over="tcp")
    ask("aaaa", "mx1.example.org", "AAAA", ["miss"], over="tcp")
    ask("aaaa", "mx1.example.org", "AAAA", hits[:2])
    ask("txt", "example.org", "TXT", ["miss", *hits[:11]])
    ask("ptr", "7.2.0.192.in-addr.arpa", "PTR", ["miss", "hit"])
    ask("tlsa", "_25._tcp.mx1.example.org", "TLSA", ["miss", "hit"])
    ask("other", "example.org", "NS", ["miss", *hits[:4]])
    ask("a", "localhost", "A", ["local"] * 7)
    ask("a", "broken.example.com", "A", ["failed"] * 3)
    ask("list", "2.0.0.127.bl.example", "A", ["miss", *hits[:3]])
    ask("list", "9.2.0.192.bl.example", "A", ["miss", *hits[:8]])
    ask("list", "1.2.0.192.bl.example", "A", ["miss", *hits[:2]])
    ask_at_once("a", "slow.example.com", "A", ["miss", "joined", "joined"])
    send_nonsense()
    # Its second is over; upstream takes longer than stale_patience.
    time.sleep(max(0.0, ended + 2.5 - time.monotonic()))
    ask("a", "old.example.com", "A", ["stale"])
    # What upstream is still asked goes on counting.
    wait_until(nothing_is_under_way, "the end of all that was asked upstream")


def expect_counts(found, form):
    for (kind, outcome), count in wanted.items():
        expect_equal(found[kind, outcome], count, f"{kind} {outcome} in {form}")


def expected_metrics():
    """What follows from the load for other counters."""
    return {
        "questions": sum(wanted.values()) + 1,
        "questions_dropped": 1,
        "questions_malformed": 1,
        "answers_servfail": 3,
        "udp_received": sent["udp"],
        "udp_sent": sent["udp"] - 1,
        "tcp_received": sent["tcp"],
        "tcp_sent": sent["tcp"],
    }


LIST = {"asked": 16, "hits": 13, "listed": 13, "not_listed": 3, "failed": 0, "refused": 0}


def json_has_them():
    stats = live.Daemon.stats(None)
    found = {(kind, o): stats["classes"][kind][o] for kind in CLASSES for o in OUTCOMES}
    expect_counts(found, "JSON")
    for kind in CLASSES:
        count = sum(wanted[kind, outcome] for outcome in OUTCOMES)
        held = stats["classes"][kind]
        expect_equal((held["count"], held["wait"]["count"]), (count, count), f"{kind} in JSON")
        in_buckets = sum(bucket["count"] for bucket in held["wait"]["buckets"])
        expect_equal(in_buckets, count, f"what the buckets of {kind} hold")
    for outcome in OUTCOMES:
        count = sum(wanted[kind, outcome] for kind in CLASSES)
        expect_equal(stats["outcomes"][outcome]["count"], count, f"{outcome} in JSON")
    for name, count in expected_metrics().items():
        expect_equal(stats["metrics"][name], count, f"{name} in JSON")
    expect_equal([a_list["zone"] for a_list in stats["lists"]], ["bl.example"], "the lists")
    for name, count in LIST.items():
        expect_equal(stats["lists"][0][name], count, f"{name} of the list in JSON")
    expect_equal(stats["lists"][0]["wait"]["count"], LIST["asked"], "waits of the list in JSON")
    transports = stats["upstreams"][0]["transports"]
    expect_equal(sorted(transports), ["tcp", "udp"], "transports of the server")
    expect(transports["udp"]["count"] > 0, "no round trips by UDP")
    expect_equal(transports["tcp"]["count"], 0, "round trips by TCP")


def text_has_them():
    screen = live.client("stats", "-s", live.SOCKET).stdout
    rows = {}
    for line in screen.splitlines():
        words = line.split()
        if words:
            rows.setdefault(words[0], words)
    for kind in CLASSES:
        counts = {outcome: wanted[kind, outcome] for outcome in OUTCOMES}
        found = (int(rows[kind][1]), int(rows[kind][3]), int(rows[kind][4]))
        expect_equal(found, (sum(counts.values()), counts["stale"], counts["failed"]), kind)
    for outcome in OUTCOMES:
        count = sum(wanted[kind, outcome] for kind in CLASSES)
        words = next(l.split() for l in screen.splitlines() if l.startswith(f"{outcome} "))
        expect(str(count) in words, f"{count} of {outcome} in {words}")
    expect_equal(rows["bl.example"][1], str(LIST["asked"]), "questions to the list")
    expect_equal(rows["bl.example"][3], str(LIST["listed"]), "listings")


def expect_samples(found, form):
    def one(name, **labels):
        return found[f"mxcache_{name}", tuple(sorted(labels.items()))]

    counts = {
        (kind, outcome): one("wait_seconds_count", **{"class": kind, "outcome": outcome})
        for kind in CLASSES
        for outcome in OUTCOMES
    }
    expect_counts(counts, form)
    for name, count in expected_metrics().items():
        expect_equal(one(f"{name}_total"), count, f"{name} in {form}")
    for name, count in LIST.items():
        expect_equal(one(f"list_{name}_total", zone="bl.example"), count, f"{name} in {form}")
    expect_equal(one("list_wait_seconds_count", zone="bl.example"), LIST["asked"], form)


def metrics_have_them():
    for form, found in (
        ("OpenMetrics by HTTP", exposition.openmetrics()),
        ("Prometheus by HTTP", exposition.prometheus()),
    ):
        expect_samples(found, form)
    told = live.client("stats", "--openmetrics", "-s", live.SOCKET).stdout
    expect_samples(exposition.samples(told.removesuffix("# EOF\n")), "stats --openmetrics")


def all_others_agree():
    """Every name of the JSON object with the same value in both forms of metrics."""
    metrics = live.Daemon.stats(None)["metrics"]
    found = {form.__name__: form() for form in (exposition.openmetrics, exposition.prometheus)}
    for name, value in metrics.items():
        step = name.removeprefix("ahead_asked_").removeprefix("ahead_used_")
        if name in MOVING:
            continue
        for form, samples in found.items():
            if name.startswith(("ahead_asked_", "ahead_used_")):
                family = name.removesuffix(f"_{step}")
                its = samples[f"mxcache_{family}_total", (("step", step),)]
            else:
                seconds = name.removesuffix("_ms") + "_seconds"
                names = [f"mxcache_{name}_total", f"mxcache_{name}", f"mxcache_{seconds}"]
                its = next(samples[n, ()] for n in names if (n, ()) in samples)
                value = value / 1000 if name.endswith("_ms") else value
            expect_equal(its, value, f"{name} by {form}")


def counters_are_not_reset():
    before = live.Daemon.stats(None)["metrics"]["questions"]
    refused = live.client("stats", "--reset", "-s", live.SOCKET)
    expect_equal(refused.returncode, 64, "the status of --reset")
    expect("--since" in refused.stderr, f"--reset says {refused.stderr!r}")
    expect_equal(live.Daemon.stats(None)["metrics"]["questions"], before, "questions after --reset")


live.run(
    a_known_load,
    json_has_them,
    text_has_them,
    metrics_have_them,
    all_others_agree,
    counters_are_not_reset,
)
