# SPDX-License-Identifier: BSD-2-Clause
"""An upstream server that sends whatever bytes a check wants, and remembers what it was asked."""

import socket
import struct
import threading
import time
import traceback

import conformance_wire as wire
import dnswire

ADDRESS = b"\xc0\x00\x02\x01"


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


class Upstream:
    """UDP and TCP at one address. A rule gets what was asked and gives the bytes of a reply, a
    list of them, or None for silence; within a list, a number is a pause in seconds."""

    def __init__(self, address):
        self.address = address
        self.rules = {}
        self.usual = answer_usually
        self.errors = []
        self._asked = []
        self._lock = threading.Lock()
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((address, 53))
        self.tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.tcp.bind((address, 53))
        self.tcp.listen(64)
        for loop in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=loop, daemon=True).start()

    def on(self, name, rule):
        self.rules[name.lower().rstrip(".") + "."] = rule

    def asked(self, name, qtype=None):
        """What has been asked about the name so far."""
        key = name.lower().rstrip(".") + "."
        with self._lock:
            return [a for a in self._asked if a.key == key and qtype in (None, a.qtype)]

    def _answer(self, data, protocol, source, send):
        asked = Asked(data, protocol, source)
        with self._lock:
            self._asked.append(asked)
        try:
            replies = self.rules.get(asked.key, self.usual)(asked)
        except Exception:  # pylint: disable=broad-except
            self.errors.append(f"{protocol} {asked.key}: {traceback.format_exc()}")
            return
        if replies is None:
            return
        if isinstance(replies, bytes):
            send(replies)
            return
        threading.Thread(target=self._play, args=(replies, send), daemon=True).start()

    @staticmethod
    def _play(replies, send):
        for step in replies:
            if isinstance(step, bytes):
                send(step)
            else:
                time.sleep(step)

    def _serve_udp(self):
        while True:
            data, source = self.udp.recvfrom(65535)
            self._answer(data, "udp", source, lambda reply, to=source: self.udp.sendto(reply, to))

    def _serve_tcp(self):
        while True:
            line, source = self.tcp.accept()
            threading.Thread(target=self._serve_line, args=(line, source), daemon=True).start()

    def _serve_line(self, line, source):
        def send(reply):
            line.sendall(struct.pack(">H", len(reply)) + reply)

        with line, line.makefile("rb") as pieces:
            while len(size := pieces.read(2)) == 2:
                self._answer(pieces.read(struct.unpack(">H", size)[0]), "tcp", source, send)
