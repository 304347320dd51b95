# SPDX-License-Identifier: BSD-2-Clause
"""What a program and its threads have cost, from the kernel's own books."""

import os
import pathlib

TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def _tasks(pid):
    return list(pathlib.Path(f"/proc/{pid}/task").iterdir())


def cpu_by_thread(pid):
    """Nanoseconds on a processor, by thread. Threads that have ended are no longer in it."""
    found = {}
    for task in _tasks(pid):
        try:
            found[int(task.name)] = int((task / "schedstat").read_text().split()[0])
        except FileNotFoundError:
            pass
    return found


def cpu_by_ticks(pid):
    """Nanoseconds by the coarse clock that top(1) reads, for a look at the other one."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * TICK_NS


def memory_bytes(pid):
    """Resident bytes, what is shared with others divided among them."""
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


class Meter:
    """What one program uses between two moments."""

    def __init__(self, pid):
        self.pid = pid
        self.threads = cpu_by_thread(pid)
        self.ticks = cpu_by_ticks(pid)

    def read(self):
        now = cpu_by_thread(self.pid)
        spent = sorted((now[one] - self.threads.get(one, 0) for one in now), reverse=True)
        ticks = cpu_by_ticks(self.pid) - self.ticks
        return {"cpu_ns": sum(spent), "thread_ns": spent, "tick_ns": ticks}
