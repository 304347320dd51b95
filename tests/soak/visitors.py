# SPDX-License-Identifier: BSD-2-Clause
"""Who else comes to the daemon of the soak: clients by TCP, some that never finish, monitoring, and
control clients that leave without a word. Each is counted, for the daemon's own numbers must agree.
"""

import random
import socket
import threading
import time

import dnswire
import live

SERVER = ("127.0.0.1", 53)
METRICS = ("127.0.0.1", 9153)
PAUSE = 1.0
OPEN_MAX = 60  # Half-open connections at a time; tcp_clients_max is 256 a worker.
OPEN_FOR = 20.0


class Visitors:
    """A thread; `pause` is the time between two visits, `opens` how many half-open connections are
    made at each."""

    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.pause, self.opens = PAUSE, 0
        self.tcp_questions = self.http_requests = self.control_clients = self.visits = 0
        self.complaints = []
        self.half_open = []
        self.may_visit = threading.Event()
        self.may_visit.set()
        self.is_over = False
        self.lock = threading.Lock()  # Held during a visit.
        self.thread = threading.Thread(target=self.loop, daemon=True)
        self.thread.start()

    def loop(self):
        visits = (self.ask_tcp, self.ask_and_leave, self.scrape, self.look_at_page, self.control)
        while not self.is_over:
            if not self.may_visit.wait(timeout=1.0):
                continue
            with self.lock:
                try:
                    self.dice.choice(visits)()
                    self.open_half()
                except (OSError, ValueError, live.Failure) as error:
                    self.complaints.append(f"{type(error).__name__}: {error}")
                self.visits += 1
            time.sleep(self.pause * self.dice.uniform(0.2, 1.8))

    def host(self):
        return f"h{self.dice.randrange(400)}.visitor.bench"

    def ask_tcp(self):
        with dnswire.Stream(SERVER, timeout=12.0) as stream:
            for _ in range(self.dice.randrange(1, 12)):
                stream.send(dnswire.query(self.host(), "A", ident=self.dice.randrange(65536)))
                self.tcp_questions += 1
                stream.receive()

    def ask_and_leave(self):
        stream = dnswire.Stream(SERVER)
        stream.send(dnswire.query(self.host(), "MX"))
        self.tcp_questions += 1
        stream.sock.close()

    def http(self, path):
        with socket.create_connection(METRICS, timeout=12.0) as sock:
            sock.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
            answer = b""
            while piece := sock.recv(65536):
                answer += piece
        self.http_requests += 1
        live.expect(answer.startswith(b"HTTP/1."), f"what came for {path}: {answer[:80]!r}")
        return answer

    def scrape(self):
        answer = self.http("/metrics")
        live.expect(b"mxcache_questions_total" in answer, "the metrics lack their questions")

    def look_at_page(self):
        self.http("/")
        with socket.create_connection(METRICS, timeout=12.0) as sock:
            sock.sendall(b"GET /met")

    def control(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(12.0)
            sock.connect(live.SOCKET)
            self.control_clients += 1
            if self.dice.random() < 0.5:
                sock.sendall(b"stats\n")

    def open_half(self):
        now = time.monotonic()
        while self.half_open and (now > self.half_open[0][0] or len(self.half_open) > OPEN_MAX):
            self.half_open.pop(0)[1].close()
        for _ in range(self.opens):
            sock = socket.create_connection(SERVER, timeout=5.0)
            sock.sendall(b"\0"[: self.dice.randrange(2)])
            self.half_open.append((now + self.dice.uniform(0, OPEN_FOR), sock))

    def rest(self):
        """Nobody comes any more, and all have gone."""
        self.may_visit.clear()
        with self.lock:
            for _, sock in self.half_open:
                sock.close()
            self.half_open.clear()

    def wake(self):
        self.pause, self.opens = PAUSE, 0
        self.may_visit.set()
