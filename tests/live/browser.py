# SPDX-License-Identifier: BSD-2-Clause
"""A headless Chromium, told what to do over its own pipe; and pictures, read back."""

import base64
import json
import os
import shutil
import struct
import subprocess
import zlib

import live
from live import expect

PROGRAM = "chromium"
REBOUND = "rebound.example"  # A stranger's name that leads to this host.
OPTIONS = (
    "--headless",
    "--hide-scrollbars",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1 , MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--remote-debugging-pipe",
)


def install(debs):
    """Unpacks the browser and what it needs, where this system has none of its own."""
    if shutil.which(PROGRAM):
        return
    expect(debs, "no chromium here and no packages of it: run ./dev setup test")
    live.unpack("chromium-unpack", *debs)
    expect(shutil.which(PROGRAM), "the packages hold no chromium")


class Browser:
    """One page, one at a time. Messages are JSON, each ended by a zero byte."""

    def __init__(self, folder):
        to_browser, self.commands = os.pipe()
        self.answers, from_browser = os.pipe()
        self.rest = b""
        self.number = 0
        self.session = None
        self.complaints = []
        self.is_loaded = False
        environment = dict(os.environ, HOME=str(folder), XDG_RUNTIME_DIR=str(folder))
        log = open(live.add_log(live.LOGS / "chromium.log"), "ab")
        # The browser reads descriptor 3 and writes to 4.
        self.process = subprocess.Popen(
            (
                "/bin/sh",
                "-c",
                f'exec 3<&{to_browser} 4>&{from_browser}; exec "$@"',
                "sh",
                PROGRAM,
                *OPTIONS,
                f"--user-data-dir={folder}/profile",
                "about:blank",
            ),
            pass_fds=(to_browser, from_browser),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
        )
        os.close(to_browser)
        os.close(from_browser)
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def next_message(self):
        while b"\0" not in self.rest:
            more = os.read(self.answers, 1 << 16)
            expect(more, f"chromium has ended: {live.read_log(live.LOGS / 'chromium.log')[-2000:]}")
            self.rest += more
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def note(self, event):
        """What a page should not do: complain, or ask anybody else."""
        method, details = event.get("method"), event.get("params", {})
        if method == "Page.loadEventFired":
            self.is_loaded = True
        elif method == "Runtime.exceptionThrown" or method == "Runtime.consoleAPICalled":
            self.complaints.append(json.dumps(details)[:500])
        elif method == "Log.entryAdded" and details["entry"]["level"] in ("warning", "error"):
            self.complaints.append(details["entry"]["text"])

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.next_message()
            if answer.get("id") != self.number:
                self.note(answer)
                continue
            expect("error" not in answer, f"{method}: {answer.get('error')}")
            return answer["result"]

    def show(self, url, width, height, scheme):
        """Loads a page as a screen of that size and colour scheme would."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 500,
        )
        self.call(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )
        self.is_loaded = False
        failure = self.call("Page.navigate", url=url).get("errorText")
        expect(not failure, f"{url}: {failure}")
        while not self.is_loaded:
            self.note(self.next_message())

    def value(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        expect("exceptionDetails" not in result, f"{expression[:80]}: {result}")
        return result["result"].get("value")

    def screenshot(self):
        """The whole page as PNG."""
        answer = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        return base64.b64decode(answer["data"])

    def close(self):
        self.session = None
        self.call("Browser.close")
        self.process.wait(live.LIMIT)


def _unfilter(kind, line, before, step):
    """RFC 2083 section 6: each byte is told as its difference from its neighbours."""
    for at in range(len(line)):
        left = line[at - step] if at >= step else 0
        corner = before[at - step] if at >= step else 0
        up = before[at]
        if kind == 1:
            line[at] = (line[at] + left) & 0xFF
        elif kind == 2:
            line[at] = (line[at] + up) & 0xFF
        elif kind == 3:
            line[at] = (line[at] + (left + up) // 2) & 0xFF
        elif kind == 4:
            guess = left + up - corner
            nearest = min((left, up, corner), key=lambda side: abs(guess - side))
            line[at] = (line[at] + nearest) & 0xFF
    return line


def read_png(png):
    """Width, height and the pixels of each line as bytes of RGB; for 8 bits of RGB or RGBA."""
    expect(png[:8] == b"\x89PNG\r\n\x1a\n", "no PNG")
    at, packed, width, height, step = 8, b"", 0, 0, 0
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at : at + 8])
        body = png[at + 8 : at + 8 + size]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
            expect(depth == 8 and colour in (2, 6), f"a PNG of colour type {colour}")
            step = 3 if colour == 2 else 4
        elif kind == b"IDAT":
            packed += body
        at += 12 + size
    plain = zlib.decompress(packed)
    lines, before = [], bytearray(width * step)
    for row in range(height):
        start = row * (width * step + 1)
        line = bytearray(plain[start + 1 : start + 1 + width * step])
        before = _unfilter(plain[start], line, before, step)
        if step == 4:
            pixels = bytearray(width * 3)
            for colour in range(3):
                pixels[colour::3] = before[colour::4]
            lines.append(pixels)
        else:
            lines.append(before)
    return width, height, lines
