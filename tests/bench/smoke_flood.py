#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""smoke_flood.py SOURCE BUILD TOOLS: does `./dev bench flood` still work? A drizzle onto mxcache.

No time is judged, for the machine may be busy; but the flood must have reached the server, its rate
must have been kept, and the polite client must have had answers.
"""

import argparse
import os
import pathlib
import sys
import tempfile

sys.dont_write_bytecode = True

import cost  # noqa: E402
import flood  # noqa: E402
import peers  # noqa: E402
import stage  # noqa: E402
from ports import port_free  # noqa: E402
from stage import live  # noqa: E402

OPTIONS = argparse.Namespace(seconds=1, rate=1000)
BATCH = 64  # The flood sends so many at once, and may be so far ahead of its rate.


class Load(cost.Load):
    """Keeps what the upstream had been asked before its counts are reset."""

    asked = 0

    def measure(self, server, port, *options):
        self.asked = self.upstream.counts()["total"]
        return super().measure(server, port, *options)


def check_polite(run, limit):
    live.expect(run["answered"] > 0, f"the polite client had no answer: {run}")
    live.expect(run["failed"] == 0, f"questions failed: {run}")
    live.expect(run["median_us"] <= run["p99_us"] <= run["worst_us"], f"no order: {run}")
    live.expect(run["flood_a_second"] <= limit, f"it sends more than it was told: {run}")


def check_found(found, upstream_asked):
    live.expect("error" not in found, f"it could not be measured: {found}")
    check_polite(found["calm"], 0)
    check_polite(found["flood"], OPTIONS.rate + BATCH)
    live.expect(found["flood"]["flood_a_second"] > 0, f"nothing was sent: {found}")
    live.expect(found["cpu"] > 0, f"it cost nothing: {found}")
    live.expect(0 < found["held"] <= 1, f"nothing it knew is held: {found}")
    live.expect(upstream_asked > flood.KNOWN + 2 * BATCH, f"the flood brought {upstream_asked}")


def check_document(found):
    text = flood.document(
        [flood.row("mxcache", found), flood.row("silent", {"error": "it ended"})], OPTIONS
    )
    table = [line for line in text.splitlines() if line.startswith("|")]
    live.expect(len(table) == 4, f"rows are missing in\n{text}")
    live.expect(len({line.count("|") for line in table}) == 1, f"rows differ in length:\n{text}")


def main():
    build, stage.TOOLS = map(pathlib.Path, sys.argv[2:4])
    live.MXCACHE = build / "mxcache"
    os.environ["PATH"] = f"{build}:{os.environ['PATH']}"
    upstream = ("127.0.0.1", port_free())
    with tempfile.TemporaryDirectory() as folder:
        live.LOGS = pathlib.Path(folder)
        load = Load(stage.TOOLS, None, upstream=upstream)
        place = flood.place_make(live.LOGS / "mxcache", port_free(), upstream)
        place.extra += "ahead = no\n"  # So that the flood alone brings new questions.
        found = flood.server_run("mxcache", place, load, None, OPTIONS)
    check_found(found, load.asked)
    check_document(found)


main()
