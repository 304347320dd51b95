# SPDX-License-Identifier: BSD-2-Clause
"""What the soak shows: a line of progress, series as TSV, and a report in Markdown."""

import collections
import statistics
import sys

BARS = "▁▂▃▄▅▆▇█"
WIDTH = 72


def sparkline(values, least=None):
    """As many bars as fit; each is the largest of its values."""
    if not values:
        return ""
    step = max(1, -(-len(values) // WIDTH))
    tops = [max(values[i : i + step]) for i in range(0, len(values), step)]
    least = min(tops) if least is None else least
    span = (max(tops) - least) or 1
    return "".join(BARS[min(7, int(7.99 * (top - least) / span))] for top in tops)


class Progress:
    """One line that changes, or on a file one line a minute."""

    def __init__(self):
        self.is_terminal = sys.stderr.isatty()
        self.next_at = 0.0

    def show(self, row, seconds):
        text = (
            f"soak: {row['time']:5.0f} of {seconds:.0f} s  {row['weather']}, {row['deed']}:"
            f" {row['rate']:.0f} questions/s, {row['failed_now']} failed,"
            f" p99 {row['p99_us'] / 1e3:.1f} ms, {row['rss_kb'] / 1024:.2f} MB,"
            f" {row['descriptors']} descriptors, {row['findings']} findings"
        )
        if self.is_terminal:
            print(f"\r{text[:150]:150}", end="", file=sys.stderr, flush=True)
        elif row["time"] >= self.next_at:
            print(text, file=sys.stderr, flush=True)
            self.next_at = row["time"] + 60

    def tell(self, text):
        print(("\n" if self.is_terminal else "") + text, file=sys.stderr, flush=True)


def series_line(row):
    """Marked with @, so that `./dev soak` can tell it from the report."""
    return "@" + "\t".join(
        f"{value:.3f}" if isinstance(value, float) else str(value) for value in row.values()
    )


def series_head(row):
    return "@" + "\t".join(row)


def weather_table(series):
    groups = collections.defaultdict(list)
    for row in series:
        groups[row["weather"]].append(row)
    yield "| weather | s | questions | failed | p99, ms, median | worst, ms |"
    yield "|---|---:|---:|---:|---:|---:|"
    for name, rows in sorted(groups.items()):
        yield (
            f"| {name} | {sum(row['seconds'] for row in rows):.0f}"
            f" | {sum(row['asked_now'] for row in rows)} | {sum(row['failed_now'] for row in rows)}"
            f" | {statistics.median(row['p99_us'] for row in rows) / 1e3:.1f}"
            f" | {max(row['worst_us'] for row in rows) / 1e3:.0f} |"
        )


def drawing(series):
    for title, key, scale, unit in (
        ("resident memory", "rss_kb", 1024, "MB"),
        ("p99 of a question", "p99_us", 1e3, "ms"),
        ("answers cached", "cache_entries", 1, ""),
        ("descriptors", "descriptors", 1, ""),
    ):
        values = [row[key] / scale for row in series]
        yield f"    {title:18} {min(values):9.2f} to {max(values):9.2f} {unit}"
        yield f"    {sparkline(values)}"


def document(soak):
    series, memory = soak.series, soak.memory
    last = series[-1]
    yield "# Soak"
    yield ""
    yield (
        f"{'NOT WELL' if soak.findings else 'Well'}: {last['time']:.0f} s, seed {soak.seed},"
        f" {soak.crowd_last['asked']} questions of {soak.crowd_last['sessions_ended']} mail"
        f" sessions and floods, {soak.visitors.visits} other visits, {soak.reloads} reloads,"
        f" {soak.rests} rests in which all sums were compared exactly."
    )
    yield ""
    if memory.is_judged:
        yield (
            f"- resident memory after the warm-up: {memory.first / 1024:.2f} MB in the first"
            f" quarter, {memory.last / 1024:.2f} MB in the last: {memory.growth:+.2f} % (allowed:"
            f" {memory.limit:g} %); the line through all of it: {memory.slope:+.2f} %"
        )
    for sentence in soak.summary():
        yield f"- {sentence}"
    yield ""
    yield from drawing(series)
    yield ""
    yield from weather_table(series)
    if soak.findings:
        yield ""
        yield "## Findings"
        yield ""
        for count, sentence in soak.findings_told():
            yield f"- {sentence}" + (f" ({count} times)" if count > 1 else "")
