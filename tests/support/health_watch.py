"""Ask a service for its health over and over, as a program of its own: `python health_watch.py PORT`.

Each question has a connection of its own and waits for its answer however long that takes. Each line of standard input
is answered by a line of JSON: how often each status came so far, 0 where a connection ended without one. It ends with
its input, and prints all seconds, from before the connection until the status line was read.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time
from collections import Counter

PAUSE_SECONDS = 0.05


def ask(port: int) -> int:
    """Return the status of an answer, 0 where there is none."""
    sent = b"GET /health HTTP/1.1\r\nhost: 127.0.0.1:%d\r\nconnection: close\r\n\r\n" % port
    try:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(sent)
            line = connection.makefile("rb").readline()
    except OSError:
        return 0
    return int(line.split()[1]) if line.startswith(b"HTTP/1.1 ") else 0


def watch(port: int) -> list[float]:
    """Ask until the input ends; return the seconds of all answers."""
    seen: Counter[int] = Counter()
    seconds = []
    while True:
        begun = time.perf_counter()
        seen[ask(port)] += 1
        seconds.append(time.perf_counter() - begun)
        if select.select([sys.stdin], [], [], PAUSE_SECONDS)[0]:
            if not sys.stdin.readline():
                return seconds
            print(json.dumps(seen), flush=True)  # noqa: T201 - its answer


if __name__ == "__main__":
    print(json.dumps(watch(int(sys.argv[1]))))  # noqa: T201 - its result
