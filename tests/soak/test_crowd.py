#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""test_crowd.py UPSTREAM CROWD: the soak's clients straight against its upstream, in the weathers
that it can be told. They find every answer true, every refusal and silence a failure, and a list's
code for "go away" a lie."""

import json
import pathlib
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "bench"))

from ports import port_free  # noqa: E402


def expect(condition, what):
    if not condition:
        sys.exit(f"test_crowd.py: {what}")


class Tool:
    def __init__(self, *command):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True,
        )  # fmt: skip
        expect(self.process.stdout.readline() == "ready\n", f"{command[0]} did not start")

    def tell(self, command):
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def do(self, *commands):
        for command in commands:
            expect(self.tell(command) == "ok", f"it does not take: {command}")


def ask_a_while(crowd, *commands):
    """What changed by half a second of asking."""
    before = json.loads(crowd.tell("count"))
    crowd.do(*commands)
    time.sleep(0.5)
    crowd.do("end")
    now = json.loads(crowd.tell("count"))
    expect(now["under_way"] == 0, f"something is under way after the end: {now}")
    ends = ("answered", "failed", "silent", "lists_failed", "lists_silent")
    expect(sum(now[end] for end in ends) == now["asked"], f"questions without an end: {now}")
    return {key: now[key] - before[key] for key in now}


def check_calm(crowd):
    found = ask_a_while(crowd, "rate 40", "flood 100")
    expect(found["answered"] == found["asked"] > 0, f"not all is answered: {found}")
    expect(found["wrong"] == 0 and found["sessions_ended"] > 0, f"wrong answers: {found}")


def check_refusing(upstream, crowd):
    upstream.do("manners lists-refuse")
    found = ask_a_while(crowd, "rate 40", "flood 0")
    expect(found["failed"] == 0 and found["lists_failed"] > 0, f"only lists refuse: {found}")
    expect(found["wrong"] > 0, f"a refusal is no listing, and nobody noticed: {found}")


def check_truncating(upstream, crowd):
    upstream.do("manners truncating")
    found = ask_a_while(crowd, "rate 0", "flood 100")
    expect(found["wrong"] == found["answered"] > 0, f"cut answers went unnoticed: {found}")
    upstream.do("manners")


def check_lossy(upstream, crowd):
    upstream.do("weather 30 1 5", "mute 0", "voice 0")
    found = ask_a_while(crowd, "rate 0", "flood 200")
    expect(found["retries"] > 0, f"nothing was lost: {found}")
    upstream.do("weather 0 1 5")


def main():
    address = f"127.0.0.1@{port_free()}"
    upstream = Tool(sys.argv[1], "-m", "1", "-x", "5", address)
    crowd = Tool(sys.argv[2], "-s", "7", address)
    check_calm(crowd)
    check_refusing(upstream, crowd)
    check_truncating(upstream, crowd)
    check_lossy(upstream, crowd)
    expect(crowd.tell("nonsense").startswith("error"), "the crowd takes anything")
    expect(upstream.tell("mute 7").startswith("error"), "the upstream takes anything")
    for tool in (crowd, upstream):
        tool.process.stdin.close()
    expect(crowd.process.wait(10) == 0, f"the crowd ended with {crowd.process.returncode}")
    upstream.process.terminate()
    expect(upstream.process.wait(10) == 0, "the upstream did not end well")


main()
