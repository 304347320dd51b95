# SPDX-License-Identifier: BSD-2-Clause
"""Ports for the smoke tests of the benches, which run beside other tests."""

import socket


def port_free():
    """A port that is free for both protocols just now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]
