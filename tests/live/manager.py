# SPDX-License-Identifier: BSD-2-Clause
"""A service manager in small: notify protocol, descriptor store, restart as `systemctl restart`."""

import array
import os
import pathlib
import socket
import threading
import time

import live

PATH = "/run/live-notify"


class Service(live.Program):
    """A program that got the store's descriptors, and tells when it is ready."""

    def __init__(self, name, store, *command):
        names, self.ready = list(store), threading.Event()
        fds = [store[fd_name] for fd_name in names]
        # The process number is known in the child only; the shell puts it in place and goes.
        script = 'LISTEN_PID=$$ exec "$@"' if fds else 'exec "$@"'
        environment = {"PATH": os.environ["PATH"], "NOTIFY_SOCKET": PATH}
        environment["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "")
        if fds:
            environment["LISTEN_FDS"] = str(len(fds))
            environment["LISTEN_FDNAMES"] = ":".join(names)
        self.started = time.monotonic()
        super().__init__(
            name, "sh", "-c", script, "sh", *command,
            env=environment, close_fds=False, preexec_fn=lambda: self.place(fds),
        )  # fmt: skip

    @staticmethod
    def place(fds):
        """In the child: descriptors 3, 4, ... and nothing else."""
        copies = [os.dup(fd) for fd in fds]
        high = [os.dup2(fd, 1000 + at) for at, fd in enumerate(copies)]
        os.closerange(3, 1000)
        for at, fd in enumerate(high):
            os.dup2(fd, 3 + at)
        os.closerange(1000, 1000 + len(high))


class Manager:
    """Keeps what its service sends it, and hands that to the next one."""

    def __init__(self):
        self.store, self.service, self.fed = {}, None, 0
        self.gaps = []  # Seconds from the order to restart until READY=1 of the next one.
        pathlib.Path(PATH).unlink(missing_ok=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(PATH)
        os.chmod(PATH, 0o666)
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        room = socket.CMSG_SPACE(16 * array.array("i").itemsize)
        while True:
            text, control, _, _ = self.socket.recvmsg(4096, room)
            fds = array.array("i")
            for _, _, data in control:
                fds.frombytes(data[: len(data) // fds.itemsize * fds.itemsize])
            self.take(dict(line.split("=", 1) for line in text.decode().split("\n")), fds)

    def take(self, message, fds):
        if "FDSTORE" in message:
            self.store[message["FDNAME"]] = fds[0]
        if "FDSTOREREMOVE" in message and message["FDNAME"] in self.store:
            os.close(self.store.pop(message["FDNAME"]))
        self.fed += "WATCHDOG" in message
        if "READY" in message:
            self.service.ready.set()

    def start(self, name, *command):
        self.service = Service(name, self.store, *command)
        live.expect(self.service.ready.wait(live.LIMIT), f"{name} is not ready in time")

    def restart(self, name, *command):
        """Type=notify: the old one ends before the new one begins."""
        began = time.monotonic()
        status = self.service.stop()
        live.expect_equal(status, 0, f"the exit status of {self.service.name}")
        self.start(name, *command)
        self.gaps.append(time.monotonic() - began)
