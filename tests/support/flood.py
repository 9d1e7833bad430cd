"""Strangers who come faster than a service works, as a program of its own: `python flood.py PORT`.

Each of four threads again and again connects, sends a head that announces a body in chunks and 96 KiB in chunks of one
byte, and leaves. Each line of standard input is answered by how many connections there were so far, until it ends.
"""

import contextlib
import os
import socket
import sys
import threading
from itertools import count

THREADS = 4
CHUNKS = b"1\r\na\r\n" * (96 * 1_024 // 6)


def come_and_go(port: int, came: "count[int]") -> None:
    head = b"POST /v1/people/sign-in HTTP/1.1\r\nhost: 127.0.0.1:%d\r\ntransfer-encoding: chunked\r\n\r\n" % port
    while True:
        # One that is reset, or refused because too many wait, is followed by the next.
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)) as connection:
            next(came)
            connection.sendall(head + CHUNKS)


def main() -> None:
    """Flood a service, and leave without waiting for any connection."""
    came = count()
    for _ in range(THREADS):
        threading.Thread(target=come_and_go, args=(int(sys.argv[1]), came), daemon=True).start()
    while sys.stdin.readline():
        print(next(came), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
