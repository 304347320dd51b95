# SPDX-License-Identifier: BSD-2-Clause
"""Runs a command with no other system calls than a systemd unit leaves to its service:

    seccomp.py UNIT COMMAND [ARGUMENT]...

Any other one kills it by SIGSYS, where the unit only refuses.
"""

import ctypes
import os
import pathlib
import subprocess
import sys

NO_NEW_PRIVILEGES, SET_SECCOMP, MODE_FILTER = 38, 22, 2
KILL_PROCESS, ALLOW = 0x80000000, 0x7FFF0000


class Instruction(ctypes.Structure):
    _fields_ = [("code", ctypes.c_ushort), ("yes", ctypes.c_ubyte), ("no", ctypes.c_ubyte),
                ("value", ctypes.c_uint)]


class Program(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.POINTER(Instruction))]


def group(name):
    """The calls of systemd's @group, those of groups within it, too."""
    text = subprocess.run(
        ("systemd-analyze", "syscall-filter", name), capture_output=True, text=True, check=True
    ).stdout
    found = set()
    for line in text.splitlines()[1:]:
        word = line.strip()
        if word.startswith("@"):
            found |= group(word)
        elif word and not word.startswith("#"):
            found.add(word)
    return found


def of_unit(path):
    """The names that are left by all SystemCallFilter= lines, in their order."""
    left = set()
    for line in path.read_text().splitlines():
        key, _, value = line.partition("=")
        if key != "SystemCallFilter":
            continue
        is_less = value.startswith("~")
        for word in value.lstrip("~").split():
            words = group(word) if word.startswith("@") else {word}
            left = left - words if is_less else left | words
    return left


def numbers():
    text = subprocess.run(
        ("cc", "-dM", "-E", "-include", "sys/syscall.h", "-"), input="", capture_output=True,
        text=True, check=True,
    ).stdout
    lines = (line.split() for line in text.splitlines() if line.startswith("#define __NR_"))
    return {words[1][len("__NR_"):]: int(words[2]) for words in lines if words[2].isdigit()}


def confine(names):
    known = numbers()
    code = [Instruction(0x20, 0, 0, 0)]  # The call's number.
    for name in sorted(names & set(known)):
        code += [Instruction(0x15, 0, 1, known[name]), Instruction(0x06, 0, 0, ALLOW)]
    code.append(Instruction(0x06, 0, 0, KILL_PROCESS))
    program = Program(len(code), (Instruction * len(code))(*code))
    libc = ctypes.CDLL(None, use_errno=True)
    if (
        libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0
        or libc.prctl(SET_SECCOMP, MODE_FILTER, ctypes.byref(program), 0, 0) != 0
    ):
        raise OSError(ctypes.get_errno(), "the kernel takes no filter")


if __name__ == "__main__":
    confine(of_unit(pathlib.Path(sys.argv[1])))
    os.execv(sys.argv[2], sys.argv[2:])
