"""Ask a service for its health over and over, as a program of its own: `python health_watch.py PORT PROCESS SECONDS`.

Each question has a connection of its own. When the time is over or SIGTERM comes, it prints one line of JSON, for each
answer:

- its status, 0 where there is none;
- its seconds, from before the connection until the status line was read;
- the seconds of these in which the event loop of the service, or this program, was ready to run and other processes
  had the processors (`run_delay` in the kernel's sched-stats): the machine's load, and not the service's doing.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

PAUSE_SECONDS = 0.05
ANSWER_SECONDS = 60.0


def waited(process: int) -> float:
    """Return the seconds that the main thread of a process has been ready to run without a processor."""
    try:
        _, delay, _ = Path(f"/proc/{process}/task/{process}/schedstat").read_text().split()
    except FileNotFoundError:  # a kernel that does not count them
        return 0.0
    return int(delay) / 1e9


def ask(port: int) -> int:
    """Return the status of an answer, 0 where there is none."""
    sent = b"GET /health HTTP/1.1\r\nhost: 127.0.0.1:%d\r\nconnection: close\r\n\r\n" % port
    try:
        with socket.create_connection(("127.0.0.1", port), ANSWER_SECONDS) as connection:
            connection.sendall(sent)
            line = connection.makefile("rb").readline()
    except OSError:
        return 0
    return int(line.split()[1]) if line.startswith(b"HTTP/1.1 ") else 0


def watch(port: int, process: int, own: int, seconds: float) -> list[tuple[int, float, float]]:
    """Ask until the time is over or SIGTERM comes."""
    over: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: over.append(number))
    answers, until = [], time.monotonic() + seconds
    while not over and time.monotonic() < until:
        delay, begun = waited(process) + waited(own), time.perf_counter()
        status = ask(port)
        answers.append((status, time.perf_counter() - begun, waited(process) + waited(own) - delay))
        time.sleep(PAUSE_SECONDS)
    return answers


if __name__ == "__main__":
    print(json.dumps(watch(int(sys.argv[1]), int(sys.argv[2]), os.getpid(), float(sys.argv[3]))))  # noqa: T201 - its result
