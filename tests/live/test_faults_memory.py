# SPDX-License-Identifier: BSD-2-Clause
"""Memory runs out at each allocation of a start and of a reload: once, and from there on.

A start succeeds, or ends with a sentence and an exit code; a reload takes effect, or leaves the old
settings. Nothing crashes; the event loop may end with a sentence. CHAOS tries every allocation,
else a sample is tried.
"""

import mmap
import os
import pathlib
import random
import shutil
import struct
import subprocess

import dnswire
import faults
import live
from faults import FIRST, SECOND, SERVER, conf
from live import expect, expect_equal, wait_until

STARTS = int(os.environ.get("CHAOS_STARTS", faults.choose(30, 100_000)))
RELOADS = int(os.environ.get("CHAOS_RELOADS", faults.choose(40, 100_000)))
LIBRARY = "/usr/local/lib/failing_malloc.so"
PAGE = pathlib.Path("/tmp/failing_malloc")
FOREVER = 1 << 40
TRIED_AT_LEAST = 5

# libev cannot go on when an array of its own cannot grow, which may happen just then: the program
# ends, and says so (daemon/loop_failure.h).
LOOP_ENDED, EX_OSERR = 'for="the event loop"', 71


class Plan:
    """Which allocations fail; see tests/support/failing_malloc.c."""

    def __init__(self):
        PAGE.write_bytes(bytes(mmap.PAGESIZE))
        PAGE.chmod(0o666)
        with open(PAGE, "r+b") as file:
            self.page = mmap.mmap(file.fileno(), mmap.PAGESIZE)

    def set(self, first, count=1):
        self.page[:32] = struct.pack("=qqqq", 0, first, count, 0)

    def seen(self):
        return struct.unpack_from("=q", self.page, 0)[0]

    def failed(self):
        return struct.unpack_from("=q", self.page, 24)[0]


plan = Plan()
programs = {}
networks = ("192.0.2", "198.51.100")  # Of the answers that each configuration leads to.
text_of = (
    conf(FIRST, "[upstream x]\nservers = 127.0.0.3\n[zone a.test]\nupstream = x\n", path=""),
    conf(SECOND, "cache_size = 8M\n[zone b.test]\nroute = direct\n", path=""),
)


def environment():
    options = os.environ["ASAN_OPTIONS"] + ":verify_asan_link_order=0:allocator_may_return_null=1"
    return {
        "PATH": os.environ["PATH"], "LD_PRELOAD": LIBRARY, "FAILING_MALLOC": str(PAGE),
        "ASAN_OPTIONS": options,
    }  # fmt: skip


def sample(total, most):
    """All of them, or the first few and as many others as may be tried."""
    if total <= most:
        return range(total)
    few = most // 4
    return [*range(few), *sorted(random.sample(range(few, total), most - few))]


def programs_start():
    shutil.copy2(live.BUILD / "tests/support/libfailing_malloc.so", LIBRARY)
    for name, address, path in (("first", FIRST, networks[0]), ("second", SECOND, networks[1])):
        live.Upstream(name, faults.ZONE.replace(" A 192.0.2", f" A {path}"), address)


def boot(name):
    """It runs, or has ended as it should; tells which."""
    daemon = live.Daemon(name, text_of[0], env=environment())
    wait_until(lambda: not daemon.is_running() or "notice: started" in daemon.output(), f"{name}")
    if daemon.is_running():
        return daemon
    expect_ended_well(daemon)
    return None


def expect_ended_well(daemon):
    code = daemon.process.returncode
    expect(0 < code < 128, f"{daemon.name}: exit status {code}: {daemon.output()[-3000:]}")
    expect(daemon.output().strip(), f"{daemon.name}: an end without a word, exit status {code}")
    expect("Sanitizer" not in daemon.output(), f"{daemon.name}: {daemon.output()[-3000:]}")


def starts_end_with_a_sentence():
    plan.set(-1)
    daemon = boot("whole")
    total = plan.seen()
    expect(daemon and total > TRIED_AT_LEAST, f"only {total} allocations were counted")
    expect_equal(daemon.stop(), 0, "the exit status")
    for count, what in ((1, "one"), (FOREVER, "all")):
        served = ended = 0
        for number in sample(total, STARTS):
            plan.set(number, count)
            daemon = boot(f"{what}{number}")
            plan.set(-1)
            if daemon is None:
                ended += 1
                continue
            served += 1
            dnswire.ask_udp(SERVER, "h1.example.org", "A", timeout=faults.PATIENCE)
            expect_equal(daemon.stop(), 0, f"the exit status of {daemon.name}")
        print(f"  a start with {total} allocations, {what} failing: {served} serve, {ended} end")


def serial_name():
    faults.Crowd.serial += 1
    return f"h{faults.Crowd.serial % faults.HOSTS}.example.org"


def reload_with_failure(daemon, wanted, number, count):
    daemon.config.write_text(text_of[wanted])
    plan.set(number, count)
    result = subprocess.run(
        (live.MXCACHE, "reload", "-s", live.SOCKET), capture_output=True, text=True,
        timeout=live.LIMIT, check=False,
    )  # fmt: skip
    seen, failed = plan.seen(), plan.failed()
    plan.set(-1)
    if count == FOREVER and LOOP_ENDED in daemon.output():
        expect_equal(daemon.wait(), EX_OSERR, f"the exit status, reload {number}")
        return None, seen, failed
    expect(daemon.is_running(), f"reload {number}: {daemon.output()[-3000:]}")
    return result, seen, failed


def network_in_use(name):
    live.client("flush", "--all", "-s", live.SOCKET)
    answer = dnswire.ask_udp(SERVER, name, "A", timeout=faults.PATIENCE)
    expect_equal(answer.rcode, dnswire.NOERROR, f"the answer for {name}")
    return answer.addresses()[0].rsplit(".", 1)[0]


def expect_new_or_old(result, before, after, wanted):
    """What the command says is what is so; the answer to it may need memory, too, and be lost."""
    what = f"{result.stdout}{result.stderr} status {result.returncode}"
    if "hung up" in what:
        expect(after in (before, wanted), f"the upstream after a reload: {after}; {what}")
    elif result.returncode == 0:
        expect_equal(after, wanted, f"the upstream after a reload: {what}")
    else:
        expect_equal(after, before, f"the upstream after a failed reload: {what}")


def reloads_take_effect_or_do_not():
    plan.set(-1)
    daemon = boot("reloaded")
    _, total, _ = reload_with_failure(daemon, 0, FOREVER, 1)
    expect(total > TRIED_AT_LEAST, f"only {total} allocations were counted")
    in_use = network_in_use(serial_name())
    for count, what in ((1, "one"), (FOREVER, "all")):
        taken = refused = 0
        for number in sample(total, RELOADS):
            wanted = 1 - networks.index(in_use)
            result, _, failed = reload_with_failure(daemon, wanted, number, count)
            if result is None:
                daemon = boot(f"{what}_reloaded{number}")
                in_use = network_in_use(serial_name())
                continue
            before, in_use = in_use, network_in_use(serial_name())
            expect_new_or_old(result, before, in_use, networks[wanted])
            taken += before != in_use
            refused += before == in_use
            expect(failed or before != in_use, f"reload {number} failed for nothing")
            faults.expect_whole(daemon)
        print(f"  a reload with {total} allocations, {what} failing: {taken} taken, {refused} not")
    wanted = 1 - networks.index(in_use)
    reload_with_failure(daemon, wanted, FOREVER, 1)
    expect_equal(network_in_use(serial_name()), networks[wanted], "with memory again, the network")
    expect_equal(daemon.stop(), 0, "the exit status")


if __name__ == "__main__":
    live.run(programs_start, starts_end_with_a_sentence, reloads_take_effect_or_do_not)
