# SPDX-License-Identifier: BSD-2-Clause
"""Debian's Prometheus reads the daemon: what it has stored are the daemon's numbers, and the
quantiles it computes are those of `mxcache stats`. promtool has no complaint of metrics and rules."""

import json
import pathlib
import subprocess
import sys
import urllib.parse
import urllib.request

import dnswire
import exposition
import live
from live import expect, expect_equal, wait_until

DEBS = pathlib.Path(sys.argv[4])
SERVER = ("127.0.0.1", 53)
PLACE = pathlib.Path("/opt/prometheus")
API = "http://127.0.0.1:9090/api/v1"
RULES = live.SOURCE / "doc/alerts.yml"
NAMES = 30

# Answers that take their time, so that waits lie in several buckets.
WORLD = """
example.org. 3600 SOA ns.example.org. host.example.org. 1 3600 900 604800 300
example.org. 3600 MX 10 mail.example.org.
2.0.0.127.bl.example. 3600 A 127.0.0.2
""" + "".join(
    f"n{n}.example.org. 3600 MX 10 mail.example.org.\n!delay n{n}.example.org. {20 + 6 * n}ms\n"
    for n in range(NAMES)
)
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
READER = f"""
global:
  scrape_interval: 1s
  evaluation_interval: 1s
rule_files: [{RULES}]
scrape_configs:
  - job_name: mxcache
    static_configs:
      - targets: ['127.0.0.1:9153']
"""


def promtool(*arguments, text=None):
    result = subprocess.run(
        (PLACE / "usr/bin/promtool", *arguments), input=text, capture_output=True, text=True, timeout=live.LIMIT,
        check=False,
    )
    expect_equal(result.returncode, 0, f"promtool {arguments}: {result.stdout}{result.stderr}")
    expect_equal(result.stderr, "", f"promtool {arguments} complains")


def api(path, **arguments):
    url = f"{API}/{path}?{urllib.parse.urlencode(arguments)}"
    with urllib.request.urlopen(url, timeout=live.LIMIT) as page:
        answer = json.load(page)
    expect_equal(answer["status"], "success", url)
    return answer["data"]


def query(expression):
    """The values by labels, the name left out."""
    found = {}
    for result in api("query", query=expression)["result"]:
        labels = {k: v for k, v in result["metric"].items() if not k.startswith("__")}
        found[tuple(sorted(labels.items()))] = float(result["value"][1])
    return found


def value(expression):
    found = query(expression)
    expect_equal(len(found), 1, f"series of {expression}")
    return next(iter(found.values()))


def a_host_that_is_watched():
    debs = sorted(DEBS.glob("prometheus_*.deb"))
    expect(debs, "no package of prometheus here: run ./dev setup test")
    live.run_quietly("prometheus-unpack", "dpkg", "-x", debs[-1], PLACE)
    live.Upstream("upstream", WORLD, "127.0.0.2@53")
    live.Daemon("mxcache", CONFIG)
    wait_until(lambda: live.client("stats", "-s", live.SOCKET).returncode == 0, "mxcache")
    for number in range(NAMES):
        dnswire.ask_udp(SERVER, f"n{number}.example.org", "MX")
    for _ in range(200):
        dnswire.ask_udp(SERVER, "example.org", "MX")
    dnswire.ask_udp(SERVER, "2.0.0.127.bl.example", "A")


def promtool_likes_the_metrics():
    text, kind = exposition.fetch()
    expect_equal(kind, exposition.PROMETHEUS, "the type without Accept")
    promtool("check", "metrics", text=text)


def promtool_likes_the_rules():
    promtool("check", "rules", RULES)
    promtool("test", "rules", live.SOURCE / "tests/live/alerts_test.yml")


def prometheus_reads_it():
    config = live.LOGS / "prometheus.yml"
    config.write_text(READER)
    promtool("check", "config", config)
    live.Program(
        "prometheus", PLACE / "usr/bin/prometheus", f"--config.file={config}",
        "--web.listen-address=127.0.0.1:9090", f"--storage.tsdb.path={live.LOGS / 'prometheus'}",
    )

    def is_read():
        try:
            return query("mxcache_uptime_seconds")
        except OSError:
            return None

    wait_until(is_read, "Prometheus to have read the metrics")
    targets = api("targets")["activeTargets"]
    expect_equal([(t["health"], t["lastError"]) for t in targets], [("up", "")], "the target")


def what_it_stored_are_the_numbers():
    stats = live.Daemon.stats(None)
    for name in ("questions", "answers_noerror", "fetches", "cache_stores", "upstream_sent"):
        found = value(f"mxcache_{name}_total")
        expect_equal(found, stats["metrics"][name], f"{name} in Prometheus")
    for outcome, held in stats["outcomes"].items():
        found = value(f'sum(mxcache_wait_seconds_count{{outcome="{outcome}"}})')
        expect_equal(found, held["count"], f"outcome {outcome} in Prometheus")
    for name in ("asked", "listed", "hits"):
        found = value(f'mxcache_list_{name}_total{{zone="bl.example"}}')
        expect_equal(found, stats["lists"][0][name], f"list {name} in Prometheus")
    count = value('mxcache_server_round_trip_seconds_count{transport="udp"}')
    expect_equal(count, stats["upstreams"][0]["transports"]["udp"]["count"], "round trips")


def it_knows_what_they_are():
    described = api("metadata", metric="mxcache_wait_seconds")["mxcache_wait_seconds"][0]
    expect_equal((described["type"], described["unit"]), ("histogram", "seconds"), "the waits")
    described = api("metadata", metric="mxcache_questions")["mxcache_questions"][0]
    expect_equal(described["type"], "counter", "the questions")
    expect("Queries from clients" in described["help"], f"HELP is {described['help']!r}")


def quantiles_are_those_of_stats():
    """Both know the same waits. Prometheus knows them by its 16 edges and draws a straight line
    between two; so its quantile lies between the edges around that of stats, which is at most 4 %
    off, and is what follows from the finer buckets of stats counted up to these edges."""
    wait = live.Daemon.stats(None)["classes"]["mx"]["wait"]
    series = 'sum by (le) (mxcache_wait_seconds_bucket{class="mx"})'
    edges = sorted(float(dict(labels)["le"]) for labels in query(series))
    for percent in (50, 90, 99):
        found = value(f"histogram_quantile({percent / 100}, {series})")
        told = wait[f"p{percent}_us"] / 1e6
        upper = next(edge for edge in edges if edge >= found)
        lower = max([edge for edge in edges if edge < upper], default=0.0)
        expect(
            lower * 0.96 <= told <= upper * 1.04,
            f"p{percent} is {told} s in stats and {found} s in Prometheus, from {lower} to {upper}",
        )
        rank = percent / 100 * wait["count"]
        below, inside = (
            sum(b["count"] for b in wait["buckets"] if low < b["le_us"] / 1e6 <= high)
            for low, high in ((-1.0, lower), (lower, upper))
        )
        exact = lower + (upper - lower) * (rank - below) / inside
        expect(abs(found - exact) < 1e-9, f"p{percent}: {found} s, but {exact} s by the buckets")


def the_dashboard_can_be_asked():
    """Each of its queries can be evaluated; those about what has happened here find something."""
    dashboard = json.loads((live.SOURCE / "doc/grafana-dashboard.json").read_text())
    ids = [panel["id"] for panel in dashboard["panels"]]
    expect_equal(len(ids), len(set(ids)), "panels with numbers of their own")
    wait_until(lambda: query("rate(mxcache_questions_total[1m])"), "two readings")
    empty = []
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            expression = target["expr"].replace("$instance", ".*")
            expression = expression.replace("$__rate_interval", "1m").replace("$__range", "1m")
            expect("$" not in expression, f"a variable in {expression}")
            if not query(expression) and "step" not in expression and "quota" not in expression:
                empty.append(f"{panel['title']}: {expression}")
    expect_equal(empty, [], "queries of the dashboard that find nothing")


def rules_are_at_rest():
    def evaluated():
        groups = api("rules")["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        return rules if rules and all(rule["health"] != "unknown" for rule in rules) else None

    rules = wait_until(evaluated, "the rules to be evaluated")
    broken = [(rule["name"], rule.get("lastError")) for rule in rules if rule["health"] != "ok"]
    expect_equal(broken, [], "rules that cannot be evaluated")
    active = [rule["name"] for rule in rules if rule["state"] != "inactive"]
    expect_equal(active, [], "rules that fire on a well host")


live.run(
    a_host_that_is_watched,
    promtool_likes_the_metrics,
    promtool_likes_the_rules,
    prometheus_reads_it,
    what_it_stored_are_the_numbers,
    it_knows_what_they_are,
    quantiles_are_those_of_stats,
    the_dashboard_can_be_asked,
    rules_are_at_rest,
)
