# SPDX-License-Identifier: BSD-2-Clause
"""Lines that the tests have reached, file by file, from what a build with --coverage left behind.

coverage.py TREE BUILD: prints a table and writes it, with the lines that were not reached, to
BUILD/report.txt. Fails when a file of the floors that decide what a client is told is below LEAST.
"""
import json
import os
import subprocess
import sys

FLOORS = "base wire mail cache conf resolver daemon doctor setup cmd".split()
HELD = "wire mail cache conf resolver".split()
LEAST = 90.0  # Per cent of lines.
BATCH = 50  # Files a call of gcov.


def notes_of(build):
    """What the compiler noted of the floors; files that never ran have that, too."""
    for folder, _, names in os.walk(os.path.join(build, "CMakeFiles")):
        for name in sorted(names):
            if name.endswith(".gcno"):
                yield os.path.relpath(os.path.join(folder, name), build)


def gcov(build, notes):
    command = ["gcov", "--json-format", "--stdout", *notes]
    run = subprocess.run(command, cwd=build, capture_output=True, text=True, check=False)
    for line in run.stdout.splitlines():
        if line.startswith("{"):
            yield json.loads(line)


def lines_of(tree, build):
    """{file: {line: how often}}. A header is compiled many times: its counts are added."""
    files = {}
    notes = list(notes_of(build))
    for at in range(0, len(notes), BATCH):
        for unit in gcov(build, notes[at : at + BATCH]):
            for file in unit["files"]:
                path = os.path.join(unit["current_working_directory"], file["file"])
                path = os.path.relpath(os.path.normpath(path), tree)
                if path.split(os.sep)[0] not in FLOORS:
                    continue
                lines = files.setdefault(path, {})
                for line in file["lines"]:
                    number = line["line_number"]
                    lines[number] = lines.get(number, 0) + line["count"]
    return files


def ranges(numbers):
    """3-5 9 for 3, 4, 5, 9."""
    words = []
    for number in sorted(numbers):
        if words and number == words[-1][1] + 1:
            words[-1][1] = number
        else:
            words.append([number, number])
    return " ".join(str(a) if a == b else f"{a}-{b}" for a, b in words)


def percent(lines):
    reached = sum(1 for count in lines.values() if count > 0)
    return 100.0 * reached / len(lines) if lines else 100.0


def report(files):
    rows = []
    for floor in FLOORS:
        own = {path: lines for path, lines in files.items() if path.startswith(floor + os.sep)}
        together = {(path, n): c for path, lines in own.items() for n, c in lines.items()}
        rows.append(f"{percent(together):5.1f} %  {len(together):6}  {floor}/")
        for path in sorted(own):
            missed = ranges(n for n, count in own[path].items() if count == 0)
            row = f"{percent(own[path]):5.1f} %  {len(own[path]):6}  {path}"
            rows.append(row + (f"    not: {missed}" if missed else ""))
    return rows


def main():
    tree, build = (os.path.realpath(path) for path in sys.argv[1:3])
    files = lines_of(tree, build)
    if not files:
        sys.exit(f"coverage.py: {build} holds no counts: is it built with the preset coverage?")
    rows = report(files)
    place = os.path.join(build, "report.txt")
    with open(place, "w", encoding="utf-8") as out:
        out.write("reached   lines  file\n" + "\n".join(rows) + "\n")
    for row in rows:
        print(row.split("    not:")[0])
    print(f"\nThe lines that were not reached: {place}")
    low = [p for p in sorted(files) if p.split(os.sep)[0] in HELD and percent(files[p]) < LEAST]
    if low:
        sys.exit(f"coverage.py: below {LEAST:.0f} % of lines: " + " ".join(low))


if __name__ == "__main__":
    main()
