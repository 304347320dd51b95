# SPDX-License-Identifier: BSD-2-Clause
"""What the RFCs demand, seen from outside: each demand is one check, in conformance_*.py.

    test_conformance.py SOURCE BUILD            runs them, in a pod (tests/live/pod)
    test_conformance.py SOURCE BUILD --table    prints the table for doc/reliability.md
"""

import sys

import conformance
import conformance_caching
import conformance_dnssec
import conformance_edns
import conformance_forgery
import conformance_message
import conformance_stream
import live
from live import expect, expect_equal

# Imported for the checks that they name.
GROUPS = (
    conformance_caching,
    conformance_dnssec,
    conformance_edns,
    conformance_forgery,
    conformance_message,
    conformance_stream,
)

programs = {}


def programs_run():
    programs["mxcache"] = conformance.programs_start()


def every_check_is_listed():
    listed = (live.SOURCE / "doc/reliability.md").read_text().splitlines()
    rows = list(conformance.rows())
    missing = [row for row in rows if row not in listed]
    expect_equal(missing, [], "rows missing from doc/reliability.md; see --table")
    gone = [line for line in listed if line.startswith("| ") and line[2].isdigit()]
    expect_equal(len(gone), len(rows), "rows of RFCs in doc/reliability.md; see --table")


def every_check_holds():
    conformance.run_all()


def daemon_ends_well():
    expect(programs["mxcache"].is_running(), "mxcache has ended early")
    expect_equal(programs["mxcache"].stop(), 0, "the exit status after TERM")


if __name__ == "__main__":
    if "--table" in sys.argv:
        print("\n".join(conformance.rows()))
    else:
        live.run(programs_run, every_check_holds, every_check_is_listed, daemon_ends_well)
