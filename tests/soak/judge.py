# SPDX-License-Identifier: BSD-2-Clause
"""What must hold in the soak: sums agree, counters never run backwards, memory stays as it is.

Each finding is a sentence; none is the aim.
"""

import pathlib
import re
import statistics

SLACK = 64  # Questions between two counters of different threads, while the load runs.
WAIT_SLACK_US = 300_000  # The whole soak runs with the lowest priority.
MEMORY_PERCENT = 2.0
MEMORY_PERCENT_SHORT = 50.0  # Of a run that is too short to have filled everything.
SHORT = 1200  # Seconds.
WARM_UP = 0.2  # Of the whole.
FULL = 0.98  # Of the cache.
ANSWERS = ("answers_noerror", "answers_nxdomain", "answers_servfail", "answers_other")
WAYS = ("hit", "stale", "joined", "miss", "local", "failed")


def gauges_read(source):
    """The names of what may also sink."""
    found = set()
    for path in pathlib.Path(source).glob("*/*metrics.def"):
        found.update(re.findall(r"^METRIC_GAUGE\((\w+),", path.read_text(), re.MULTILINE))
    return found


def answers_of(metrics):
    return sum(metrics[name] for name in ANSWERS)


def sums(stats):
    """(what, one side, the other side), which are equal when nothing is under way."""
    metrics = stats["metrics"]
    answers = answers_of(metrics)
    classes, outcomes = stats["classes"].values(), stats["outcomes"]
    yield (
        "questions = answers + dropped + waiting", metrics["questions"],
        answers + metrics["questions_dropped"] + metrics["questions_waiting"],
    )  # fmt: skip
    yield (
        "received = questions", metrics["udp_received"] + metrics["tcp_received"],
        metrics["questions"],
    )  # fmt: skip
    yield (
        "answers = sent + unsent", answers,
        sum(metrics[f"{way}_{end}"] for way in ("udp", "tcp") for end in ("sent", "unsent")),
    )  # fmt: skip
    yield "answers = sum of outcomes", answers, sum(outcomes[way]["count"] for way in WAYS)
    yield "answers = sum of classes", answers, sum(row["count"] for row in classes)
    for name, row in stats["classes"].items():
        yield f"class {name} = its ways", row["count"], sum(row[way] for way in WAYS)
        yield f"class {name} = its waits", row["count"], row["wait"]["count"]
    for way in WAYS:
        buckets = sum(bucket["count"] for bucket in outcomes[way]["wait"]["buckets"])
        yield f"outcome {way} = its waits", outcomes[way]["count"], buckets
        of_classes = sum(row[way] for row in classes)
        yield f"outcome {way} = that of all classes", outcomes[way]["count"], of_classes
    sent = sum(server["sent"] for server in stats["upstreams"])
    yield "sent upstream = sum of servers", metrics["upstream_sent"], sent
    for step, row in stats["ahead"].items():
        yield f"ahead {step}: asked", row["asked"], metrics[f"ahead_asked_{step}"]


def check_sums(stats, slack):
    return [
        f"{what}: {one} and {other}" for what, one, other in sums(stats) if abs(one - other) > slack
    ]


def check_bounds(stats, deadline_us):
    metrics = stats["metrics"]
    if metrics["cache_bytes"] > metrics["cache_bytes_max"]:
        yield f"the cache has {metrics['cache_bytes']} of {metrics['cache_bytes_max']} bytes"
    for way in WAYS:
        longest = stats["outcomes"][way]["wait"]["max_us"]
        if longest > deadline_us + WAIT_SLACK_US:
            yield f"a question ({way}) waited {longest / 1e6:.2f} s"
    for server in stats["upstreams"]:
        ended = sum(server[end] for end in ("answered", "failed"))
        if ended > server["sent"]:
            yield f"{server['address']} gave {ended} replies to {server['sent']} messages"


def counters_of(stats, gauges):
    """All that may only grow, by path."""
    found = {}
    for name, value in stats["metrics"].items():
        if name not in gauges:
            found[name] = value
    for name, row in stats["classes"].items():
        found.update({f"classes.{name}.{key}": row[key] for key in ("count", *WAYS)})
    for server in stats["upstreams"]:
        for key in ("sent", "answered", "failed", "timed_out", "lost"):
            found[f"{server['address']}.{key}"] = server[key]
    for row in stats["lists"]:
        for key, value in row.items():
            if isinstance(value, int) and key not in ("day", "quota", "today"):
                found[f"lists.{row.get('zone')}.{key}"] = value
    return found


def check_growth(before, now):
    return [
        f"{name} ran backwards: {value}, then {now[name]}"
        for name, value in before.items()
        if name in now and now[name] < value
    ]


def comparable(rows):
    """Those with a full cache, for it may have been flushed; all of them, if it never was full."""
    full = [row for row in rows if row["cache_bytes"] >= FULL * row["cache_bytes_max"]]
    return full or rows


def quarters(series, seconds):
    """The samples after the warm-up, in four parts."""
    begin = seconds * WARM_UP
    part = (seconds - begin) / 4
    return [
        comparable(
            [row for row in series if begin + i * part <= row["time"] < begin + (i + 1) * part]
        )
        for i in range(4)
    ]


def slope_percent(rows, key):
    """By least squares: how much the line through the points grows from end to end."""
    if len(rows) < 3:
        return 0.0
    times, values = [row["time"] for row in rows], [row[key] for row in rows]
    middle_x, middle_y = statistics.fmean(times), statistics.fmean(values)
    below = sum((x - middle_x) ** 2 for x in times)
    slope = sum((x - middle_x) * (y - middle_y) for x, y in zip(times, values)) / below
    return 100 * slope * (times[-1] - times[0]) / middle_y


class Memory:
    """The verdict on resident memory: the medians of the first and the last quarter."""

    def __init__(self, series, seconds):
        parts = quarters(series, seconds)
        self.limit = MEMORY_PERCENT if seconds >= SHORT else MEMORY_PERCENT_SHORT
        self.is_judged = all(len(part) > 0 for part in parts)
        self.growth = self.slope = 0.0
        self.first = self.last = 0
        if self.is_judged:
            self.first, self.last = (
                statistics.median(row["rss_kb"] for row in part) for part in (parts[0], parts[3])
            )
            self.growth = 100 * (self.last / self.first - 1)
            self.slope = slope_percent([row for part in parts for row in part], "rss_kb")

    def findings(self):
        if self.is_judged and abs(self.growth) > self.limit:
            yield f"resident memory: {self.growth:+.2f} %, from {self.first} to {self.last} kB"
