"""Ask a service for its health over and over, as a program of its own: `python health_watch.py PORT PROCESS`.

Each question has a connection of its own. How late an answer comes by the clock depends on what else the machine does;
what the service does until then does not. So each answer has three times, from before the connection until the status
line was read:

- `loop`: processor seconds of the service's main thread, in which its event loop runs;
- `threads`: processor seconds of all its threads together;
- `unused`: seconds in which none of its threads ran, or was ready to run and waited for a processor.

Whatever a question waits for in the service is in one of them: work of the event loop, work in other threads, or a
lock or a time that lets seconds pass unused. A question is given up once the service has taken `GIVEN_UP` seconds.

Each line of standard input is answered by a line of JSON: how often each status came so far, 0 where a connection ended
without one or a question was given up, and the times of all answers. It ends with its input.
"""

import json
import os
import select
import socket
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

PAUSE_SECONDS = 0.05
LOOK_SECONDS = 1.0
GIVEN_UP = 60.0
IS_COUNTED = Path("/proc/self/schedstat").exists()  # not every kernel counts who waits for a processor


@dataclass(frozen=True)
class Times:
    """Seconds of an answer; see the module."""

    loop: float
    threads: float
    unused: float


class Watch:
    def __init__(self, process: int) -> None:
        self._process = psutil.Process(process)
        self._waited, self._own = seconds_waited(process), seconds_waited(os.getpid())
        self._spent, self._begun = self._seconds_spent(), time.perf_counter()

    def times(self) -> Times:
        clock = time.perf_counter() - self._begun
        loop, threads = (now - before for now, before in zip(self._seconds_spent(), self._spent, strict=True))
        waited = since(self._waited, seconds_waited(self._process.pid))
        # While this program waited for a processor, the service may have answered.
        waited += since(self._own, seconds_waited(os.getpid()))
        return Times(loop, threads, max(0.0, clock - threads - waited) if IS_COUNTED else 0.0)

    def _seconds_spent(self) -> tuple[float, float]:
        every = self._process.cpu_times()
        main = next(one for one in self._process.threads() if one.id == self._process.pid)
        return main.user_time + main.system_time, every.user + every.system


def seconds_waited(process: int) -> dict[int, float]:
    """Return for how long each thread of a process was ready to run and had no processor, by its number."""
    found = {}
    for thread in Path(f"/proc/{process}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended, or nothing is counted
            found[int(thread.name)] = int((thread / "schedstat").read_text("ascii").split()[1]) / 1e9
    return found


def since(before: dict[int, float], now: dict[int, float]) -> float:
    """Return how much threads waited meanwhile, one after another."""
    return sum(max(0.0, waited - before.get(thread, 0.0)) for thread, waited in now.items())


def ask(port: int, watch: Watch) -> int:
    """Return the status of an answer, 0 where there is none or the service takes too long."""
    sent = b"GET /health HTTP/1.1\r\nhost: 127.0.0.1:%d\r\nconnection: close\r\n\r\n" % port
    try:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(sent)
            while not select.select([connection], [], [], LOOK_SECONDS)[0]:
                if max(asdict(watch.times()).values()) > GIVEN_UP:
                    return 0
            line = connection.makefile("rb").readline()
    except OSError:
        return 0
    return int(line.split()[1]) if line.startswith(b"HTTP/1.1 ") else 0


def watch_health(port: int, process: int) -> None:
    """Ask until the input ends."""
    statuses: Counter[int] = Counter()
    answers = []
    while True:
        watch = Watch(process)
        statuses[ask(port, watch)] += 1
        answers.append(asdict(watch.times()))
        if select.select([sys.stdin], [], [], PAUSE_SECONDS)[0]:
            if not sys.stdin.readline():
                return
            print(json.dumps({"statuses": statuses, "answers": answers}), flush=True)


if __name__ == "__main__":
    watch_health(*map(int, sys.argv[1:]))
