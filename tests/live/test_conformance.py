# SPDX-License-Identifier: BSD-2-Clause
"""What the RFCs demand, seen from outside: each demand is one check, in conformance_*.py.

    test_conformance.py SOURCE BUILD                      runs them, in a pod (tests/live/pod)
    test_conformance.py SOURCE BUILD --table              prints the table for doc/reliability.md
    test_conformance.py SOURCE BUILD --only NAME,NAME     runs these functions alone, in the pod

Each variant (conformance.VARIANTS) is a process of its own, with its own mxcache and upstreams.
"""

import subprocess
import sys
import traceback

import conformance
import conformance_caching
import conformance_cookies
import conformance_dnssec
import conformance_edns
import conformance_failure
import conformance_forgery
import conformance_message
import conformance_stream
import conformance_uplink
import conformance_upstream
import live
from live import expect, expect_equal

# Imported for the checks that they name.
GROUPS = (
    conformance_caching,
    conformance_cookies,
    conformance_dnssec,
    conformance_edns,
    conformance_failure,
    conformance_forgery,
    conformance_message,
    conformance_stream,
    conformance_uplink,
)
LIMIT = 240.0  # Seconds for all variants: only a matter of a slow machine.


def option(name):
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else ""


def every_check_is_listed():
    text = (live.SOURCE / "doc/reliability.md").read_text()
    listed = text.split("## Conformance\n")[1].split("\n## ")[0].splitlines()
    rows = list(conformance.rows())
    missing = [row for row in rows if row not in listed]
    expect_equal(missing, [], "rows missing from doc/reliability.md; see --table")
    found = [line for line in listed if line.startswith("| ") and line[2:6].isdigit()]
    expect_equal(len(found), len(rows), "rows of RFCs in doc/reliability.md; see --table")


def every_check_holds():
    conformance_upstream.certificate_make()
    only = ["--only", option("--only")] if "--only" in sys.argv else []
    wanted = option("--on").split(",") if "--on" in sys.argv else conformance.VARIANTS
    running = [
        live.Program(name, sys.executable, *sys.argv[:3], "--variant", name, *only)
        for name in wanted
    ]
    for program in running:
        program.wait(LIMIT)
    for program in running:
        print(program.output(), end="")
    failed = [program.name for program in running if program.process.returncode != 0]
    expect(not failed, f"it does not hold over {', '.join(failed)}")


def variant_play(name):
    """One variant, in a process of its own; what it prints is shown by the others' parent."""
    program = conformance.programs_start(name)
    conformance.run_all([one for one in option("--only").split(",") if one])
    expect(program.is_running(), "mxcache has ended early")
    expect_equal(program.stop(), 0, "the exit status after TERM")


if __name__ == "__main__":
    if "--table" in sys.argv:
        print("\n".join(conformance.rows()))
    elif "--variant" in sys.argv:
        try:
            variant_play(option("--variant"))
        except Exception:  # pylint: disable=broad-except
            traceback.print_exc(file=sys.stdout)
            live.report()
            sys.exit(1)
    else:
        live.run(every_check_holds, every_check_is_listed)
