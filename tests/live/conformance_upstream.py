# SPDX-License-Identifier: BSD-2-Clause
"""An upstream server that sends whatever bytes a check wants, and remembers what it was asked."""

import select
import socket
import ssl
import struct
import threading
import time
import traceback

import conformance_wire as wire
import dnswire
import live

ADDRESS = b"\xc0\x00\x02\x01"
TLS_NAME = "dns.example"
KEY = live.LOGS / "key.pem"
CERTIFICATE = live.LOGS / "certificate.pem"


class Asked:
    """One question that arrived here."""

    def __init__(self, data, protocol, source):
        self.message = wire.Message(data)
        self.protocol = protocol
        self.source = source
        self.at = time.monotonic()
        self.id = self.message.id
        self.question = self.message.questions[0]
        self.name = dnswire.read_name(data, 12)[0]
        self.key = self.name.lower()
        self.qtype, self.qclass = struct.unpack(">HH", self.question[-4:])

    @property
    def zone(self):
        return ".".join(self.key.rstrip(".").split(".")[-2:])

    def reply(self, answers=(), authority=(), additional=(), **fields):
        """A right reply, but for the fields given: flags, rcode, ident, question, edns."""
        flags = fields.get("flags", wire.QR | wire.RD | wire.RA) | fields.get("rcode", 0)
        edns = fields.get("edns", wire.opt() if self.message.opts else None)
        extra = [*additional, *([edns] if edns else [])]
        questions = [fields.get("question", self.question)]
        ident = fields.get("ident", self.id)
        return wire.message(flags, questions, (answers, authority, extra), ident)

    def own(self, rtype, data, ttl=300):
        """A record of the name that was asked, by a pointer to the question."""
        return wire.record(b"\xc0\x0c", rtype, data, ttl)

    def denial(self, rcode=wire.NOERROR, **fields):
        return self.reply((), [wire.soa(self.zone)], rcode=rcode, **fields)

    def address(self, data=ADDRESS, ttl=300, **fields):
        return self.reply([self.own(wire.A, data, ttl)], **fields)


def answer_usually(asked):
    return asked.address() if asked.qtype == wire.A else asked.denial()


def certificate_make():
    """Signed by itself; mxcache is told to trust it."""
    live.run_quietly(
        "certificate", "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
        "ec_paramgen_curve:P-256", "-nodes", "-days", "9", "-subj", f"/CN={TLS_NAME}",
        "-addext", f"subjectAltName=DNS:{TLS_NAME}", "-keyout", KEY, "-out", CERTIFICATE,
    )


class Connection:
    """One line of a client's, TLS or not. Two threads read and write on it, but a TLS session
    takes one at a time: so it is read only when there is something."""

    def __init__(self, sock, source):
        self.sock = sock
        self.source = source
        self.turn = threading.RLock()  # Nothing may come between the pieces of a message.
        self._lock = threading.Lock()

    def _is_pending(self):
        with self._lock:
            return isinstance(self.sock, ssl.SSLSocket) and self.sock.pending() > 0

    def read(self, size):
        """As many bytes, or fewer at the end."""
        data = b""
        while len(data) < size:
            if not self._is_pending():
                select.select([self.sock], [], [])
            with self._lock:
                piece = self.sock.recv(size - len(data))
            if not piece:
                break
            data += piece
        return data

    def has_more(self):
        """Whether something can be read without waiting."""
        return self._is_pending() or bool(select.select([self.sock], [], [], 0)[0])

    def write(self, data):
        with self._lock:
            self.sock.sendall(data)

    def send(self, step):
        """A message; or one whose frame is right already, as a bytearray."""
        framed = isinstance(step, bytearray)
        with self.turn:
            self.write(step if framed else struct.pack(">H", len(step)) + step)

    def close(self):
        """At once, whatever is under way."""
        self.sock.shutdown(socket.SHUT_RDWR)


class Upstream:
    """UDP and TCP at one address, or TLS. A rule gets what was asked and gives the bytes of a
    reply, a list of them, or None for silence. Within a list, a number is a pause in seconds, a
    bytearray goes onto a line as it is, without a length, and None closes the line."""

    def __init__(self, address, is_tls):
        self.address = address
        self.rules = {}
        self.usual = answer_usually
        self.errors = []
        self.lines = 0
        self.open_lines = 0
        self.pieces = 0  # Questions whose length came without them.
        self._asked = []
        self._lock = threading.Lock()
        self.context = None
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        if is_tls:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(CERTIFICATE, KEY)
        else:
            self.udp = socket.socket(family, socket.SOCK_DGRAM)
            self.udp.bind((address, 53))
            threading.Thread(target=self._serve_udp, daemon=True).start()
        self.tcp = socket.create_server((address, 853 if is_tls else 53), family=family, backlog=64)
        threading.Thread(target=self._serve_tcp, daemon=True).start()

    def on(self, name, rule):
        self.rules[name.lower().rstrip(".") + "."] = rule

    def asked(self, name, qtype=None):
        """What has been asked about the name so far."""
        key = name.lower().rstrip(".") + "."
        with self._lock:
            return [a for a in self._asked if a.key == key and qtype in (None, a.qtype)]

    def _answer(self, data, protocol, source, send, line=None):
        try:
            asked = Asked(data, protocol, source)
            with self._lock:
                self._asked.append(asked)
            replies = self.rules.get(asked.key, self.usual)(asked)
        except Exception:  # pylint: disable=broad-except
            self.errors.append(f"{protocol} {data!r}: {traceback.format_exc()}")
            return
        if replies is None:
            return
        if isinstance(replies, bytes):
            replies = [replies]
        kinds = {type(step) for step in replies}
        if bytearray in kinds:
            with line.turn:
                self._play(replies, send, line)
        elif float in kinds:
            threading.Thread(target=self._play, args=(replies, send, line), daemon=True).start()
        else:
            self._play(replies, send, line)

    @staticmethod
    def _play(replies, send, line):
        try:
            for step in replies:
                if step is None:
                    line.close()
                elif isinstance(step, float):
                    time.sleep(step)
                else:
                    send(step)
        except OSError:
            pass  # The line has gone meanwhile, which is the client's right.

    def _serve_udp(self):
        while True:
            data, source = self.udp.recvfrom(65535)
            self._answer(
                data, "udp", source, lambda reply, to=source: self.udp.sendto(reply, to))

    def _serve_tcp(self):
        while True:
            sock, source = self.tcp.accept()
            threading.Thread(target=self._serve_line, args=(sock, source), daemon=True).start()

    def _serve_line(self, sock, source):
        protocol = "tls" if self.context else "tcp"
        with self._lock:
            self.lines += 1
            self.open_lines += 1
        try:
            if self.context:
                sock = self.context.wrap_socket(sock, server_side=True)
            line = Connection(sock, source)
            while len(size := line.read(2)) == 2:
                self.pieces += not line.has_more()
                data = line.read(struct.unpack(">H", size)[0])
                self._answer(data, protocol, source, line.send, line)
        except OSError:
            pass  # Closed by the client in the middle of something.
        finally:
            sock.close()
            with self._lock:
                self.open_lines -= 1
