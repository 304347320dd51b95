#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""smoke.py UPSTREAM SESSIONS: do the tools of the bench still work? A second, without a resolver."""

import json
import subprocess
import sys

sys.dont_write_bytecode = True

from ports import port_free  # noqa: E402

SESSIONS = 60


def upstream_ask(upstream, command):
    upstream.stdin.write(f"{command}\n")
    upstream.stdin.flush()
    return upstream.stdout.readline().strip()


def sessions_run(program, address, *arguments):
    result = subprocess.run(
        (program, "-q", "-x", "20", *arguments, address),
        stdout=subprocess.PIPE, text=True, timeout=40, check=True,
    )
    return json.loads(result.stdout)


def expect(condition, what):
    if not condition:
        sys.exit(f"smoke.py: {what}")


def check_calm(upstream, sessions, address):
    found = sessions_run(sessions, address, "-n", str(SESSIONS))
    counts = json.loads(upstream_ask(upstream, "count"))
    expect(found["sessions"] == SESSIONS, f"not all sessions ended: {found}")
    expect(found["failed"] == 0 and found["retries"] == 0, f"lookups failed: {found}")
    expect(found["questions"] == found["answered"], f"answers are missing: {found}")
    expect(counts["total"] == found["questions"], f"{counts} are not the questions of {found}")
    expect(0 < found["median_ms"] <= found["p99_ms"] <= found["worst_ms"], f"no order: {found}")
    expect(found["answer"]["worst_ms"] > 1, f"no delay was felt: {found}")


def check_dead(upstream, sessions, address):
    expect(upstream_ask(upstream, "dead") == "ok", "the upstream does not die")
    found = sessions_run(sessions, address, "-n", "1", "-x", "1", "-l", "0")
    expect(found["sessions"] == 0 and found["unfinished"] == 1, f"who has answered? {found}")
    expect(upstream_ask(upstream, "reset") == "ok", "the upstream does not reset its counts")


def main():
    upstream_program, sessions = sys.argv[1:]
    address = f"127.0.0.1@{port_free()}"
    command = (upstream_program, "-m", "2", "-x", "10", address)
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as upstream:
        expect(upstream.stdout.readline() == "ready\n", "the upstream did not start")
        check_calm(upstream, sessions, address)
        check_dead(upstream, sessions, address)
        upstream.terminate()
        expect(upstream.wait(10) == 0, f"the upstream ended with {upstream.returncode}")


main()
