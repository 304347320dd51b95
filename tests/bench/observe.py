#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What counting and timing costs per cached answer: the bench `hit` twice, as the tree is and with
counters and histograms that do nothing (tests/bench/mute). The kernel has no part in either, so the
share of a whole answer's processor time is smaller.

    observe.py TOOLS [--names N] [--questions N] [--rounds N] [--no-instructions]

Times are the least of several rounds, taken in turn: on a busy machine they differ by more than what
is looked for. Instructions, counted by valgrind where there is one, are the same each time.
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

PROGRAMS = ("hit", "hit_mute")
RUNS = 9  # Of `hit` itself.


def nanoseconds(program, names, questions):
    """The fastest run of one round."""
    output = subprocess.run(
        (program, str(names), str(questions)), check=True, capture_output=True, text=True
    ).stdout
    return int(re.search(r"; (\d+) to \d+\)", output)[1])


def instructions(program, names, questions):
    """Per question, of the asking alone."""
    with tempfile.TemporaryDirectory() as folder:
        result = subprocess.run(
            (
                "valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out",
                "--toggle-collect=hit_run*", program, str(names), str(questions),
            ),
            check=True, capture_output=True, text=True,
        )
    collected = int(re.search(r"Collected : (\d+)", result.stderr)[1])
    if collected == 0:
        sys.exit(f"{program} has no function hit_run to be counted")
    return collected / (RUNS * questions)


def line(what, observed, mute):
    share = 100 * (observed - mute) / observed
    print(f"| {what} | {observed:.0f} | {mute:.0f} | {observed - mute:.0f} | {share:.1f} % |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tools", type=pathlib.Path)
    parser.add_argument("--names", type=int, default=2000)
    parser.add_argument("--questions", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-instructions", action="store_true")
    options = parser.parse_args()
    programs = [options.tools / name for name in PROGRAMS]
    times = [[], []]
    for _ in range(options.rounds):
        for program, found in zip(programs, times):
            found.append(nanoseconds(program, options.names, options.questions))
    print("| per cached answer, without the kernel | as it is | mute | observing | share |")
    print("|---|---|---|---|---|")
    line("nanoseconds", *map(min, times))
    if shutil.which("valgrind") and not options.no_instructions:
        few = min(options.questions, 20_000)
        line("instructions", *(instructions(program, options.names, few) for program in programs))


main()
