# SPDX-License-Identifier: BSD-2-Clause
"""Reads the metrics as monitoring systems do, in both forms, and takes nothing on trust."""

import re
import urllib.request

from live import expect, expect_equal

URL = "http://127.0.0.1:9153/metrics"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"

SAMPLE = re.compile(r"^([a-z][a-z0-9_]*)(?:\{(.*)\})? (\d+(?:\.\d+)?)$")
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\.)*)"(?:,|$)')


def fetch(accept=None):
    """The page's text and its type."""
    request = urllib.request.Request(URL, headers={"Accept": accept} if accept else {})
    with urllib.request.urlopen(request, timeout=10) as page:
        return page.read().decode("ascii"), page.headers["Content-Type"]


def labels_of(text):
    labels, at = [], 0
    while at < len(text or ""):
        match = LABEL.match(text, at)
        expect(match, f"labels that cannot be read: {text}")
        labels.append((match[1], match[2]))
        at = match.end()
    return tuple(sorted(labels))


def samples(text):
    """The samples by name and labels: {(name, ((label, value), ...)): number}. Each belongs to the
    family that was opened last, none comes twice, and histograms are what they should be."""
    found, family = {}, None
    for line in text.splitlines():
        if line.startswith("#"):
            words = line.split(" ", 3)
            if words[1] == "TYPE":
                family = words[2].removesuffix("_total")
            continue
        match = SAMPLE.match(line)
        expect(match, f"a sample that cannot be read: {line}")
        key = (match[1], labels_of(match[2]))
        expect(family and match[1].startswith(family), f"{match[1]} in the family {family}")
        expect(key not in found, f"{key} stands there twice")
        found[key] = float(match[3])
    for (name, labels), count in found.items():
        if name.endswith("_count"):
            expect_histogram(found, name.removesuffix("_count"), labels, count)
    return found


def buckets(found, name, labels):
    """[(edge, count up to it)] in ascending order."""
    edges = []
    for (sample, its_labels), count in found.items():
        its = dict(its_labels)
        if sample == f"{name}_bucket" and set(labels) == set(its.items()) - {("le", its["le"])}:
            edges.append((float(its["le"].replace("+Inf", "inf")), count))
    return sorted(edges)


def expect_histogram(found, name, labels, count):
    edges = buckets(found, name, labels)
    expect_equal(len(edges), 17, f"edges of {name} {labels}")
    expect_equal(edges[-1], (float("inf"), count), f"the last edge of {name} {labels}")
    expect(edges == sorted(edges, key=lambda edge: edge[1]), f"{name} {labels} does not only grow")
    expect((f"{name}_sum", labels) in found, f"{name} {labels} has no sum")


def openmetrics():
    text, kind = fetch("application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
    expect_equal(kind, OPENMETRICS, "the type of OpenMetrics")
    expect(text.endswith("\n# EOF\n"), "OpenMetrics has no end")
    return samples(text.removesuffix("# EOF\n"))


def prometheus():
    text, kind = fetch()
    expect_equal(kind, PROMETHEUS, "the type of Prometheus text")
    expect("# EOF" not in text and "# UNIT" not in text, "the older form knows no EOF and UNIT")
    return samples(text)
