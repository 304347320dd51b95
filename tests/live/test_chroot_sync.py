# SPDX-License-Identifier: BSD-2-Clause
"""mxcache chroot-sync with Debian's Postfix in two instances: what it writes, when it reloads."""

import os
import pathlib
import sys

import live
from live import expect, expect_equal

DEBS = pathlib.Path(sys.argv[3])
SOURCE = pathlib.Path("/etc/resolv.conf")
FIRST = pathlib.Path("/var/spool/postfix/etc/resolv.conf")
SECOND = pathlib.Path("/var/spool/postfix-out/etc/resolv.conf")
EX_NOINPUT, EX_CANTCREAT = 66, 73


def install():
    """Nothing may be started by the packages' own scripts."""
    policy = pathlib.Path("/usr/sbin/policy-rc.d")
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    preseed = "postfix postfix/main_mailer_type select Local only\n"
    live.run_quietly("preseed", "sh", "-c", f"echo '{preseed}' | debconf-set-selections")
    debs = sorted(DEBS.glob("*.deb"))
    expect(debs, f"no packages in {DEBS}: run ./dev setup test")
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    live.run_quietly("dpkg", "dpkg", "--force-unsafe-io", "-i", *debs, env=environment)
    live.run_quietly("postconf", "postconf", "-e", "maillog_file=/var/log/postfix.log",
                     "inet_interfaces=loopback-only")  # fmt: skip
    live.add_log("/var/log/postfix.log")
    live.run_quietly("multi", "postmulti", "-e", "init")
    live.run_quietly("multi", "postmulti", "-I", "postfix-out", "-e", "create")
    live.run_quietly("multi", "postconf", "-c", "/etc/postfix-out", "-e",
                     "master_service_disable=", "maillog_file=/var/log/postfix.log",
                     "inet_interfaces=loopback-only")  # fmt: skip
    live.run_quietly("multi", "postconf", "-c", "/etc/postfix-out", "-F", "*/unix/chroot=y")
    live.run_quietly("multi", "postconf", "-c", "/etc/postfix-out", "-M#", "smtp/inet")
    live.run_quietly("start", "postfix", "-c", "/etc/postfix", "start")
    reloads_so_far()


def sync(*arguments, status=0):
    result = live.client("chroot-sync", *arguments)
    expect_equal(result.returncode, status, f"the status of chroot-sync ({result.stderr})")
    return result.stdout + result.stderr


def reloads_so_far():
    return live.read_log("/var/log/postfix.log").count("reload -- version")


def lines_of(text, part):
    return [line for line in text.splitlines() if part in line]


def writes_and_reloads_once():
    SOURCE.write_text("nameserver 127.0.0.1\n")
    before = FIRST.read_text() if FIRST.exists() else None
    text = sync("--dry-run")
    expect_equal(len(lines_of(text, "to be written, 21 bytes")), 2, f"lines of a rehearsal ({text})")
    expect_equal(FIRST.read_text() if FIRST.exists() else None, before, "the file after it")
    count = reloads_so_far()
    text = sync()
    expect("/etc/postfix: reloaded" in text, f"it does not reload what runs: {text}")
    expect("/etc/postfix-out: does not run, nothing to reload" in text, f"what rests: {text}")
    for path in (FIRST, SECOND):
        expect_equal(path.read_text(), SOURCE.read_text(), str(path))
        expect_equal(path.stat().st_mode & 0o7777, 0o644, f"the mode of {path}")
    live.wait_until(lambda: reloads_so_far() == count + 1, "the reload in Postfix's log")
    text = sync()
    expect_equal(len(lines_of(text, "is equal already")), 2, f"lines the second time ({text})")
    expect_equal(reloads_so_far(), count + 1, "reloads of Postfix")


def refuses_what_names_nobody():
    for text in ("", "# nameserver 192.0.2.1\n", "search example.org\n"):
        SOURCE.write_text(text)
        said = sync(status=EX_NOINPUT)
        expect("names no nameserver" in said, f"it does not say why: {said}")
        expect_equal(FIRST.read_text(), "nameserver 127.0.0.1\n", "what was there")
    SOURCE.unlink()
    SOURCE.symlink_to("/run/nowhere")
    expect("is not there" in sync(status=EX_NOINPUT), "a link to nowhere is not told of")
    SOURCE.unlink()
    SOURCE.write_text("nameserver 127.0.0.1\noptions edns0\n")


def follows_no_link():
    precious = pathlib.Path("/etc/precious")
    precious.write_text("precious\n")
    FIRST.unlink()
    FIRST.symlink_to(precious)
    sync()
    expect_equal(precious.read_text(), "precious\n", "what the link led to")
    expect(not FIRST.is_symlink(), "the link is still there")
    expect_equal(FIRST.read_text(), SOURCE.read_text(), str(FIRST))
    folder = SECOND.parent
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()
    folder.symlink_to("/etc")
    said = sync(status=EX_CANTCREAT)
    expect("cannot open its folder etc in /var/spool/postfix-out" in said, f"it says: {said}")


if __name__ == "__main__":
    live.run(install, writes_and_reloads_once, refuses_what_names_nobody, follows_no_link)
