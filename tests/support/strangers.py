"""Strangers who attack one service at once, as a program of its own: `python strangers.py PORT`.

Every attack is repeated until standard input ends, with a bounded number of connections and bytes at a time. Each line
of the input is answered by a line of JSON: for each attack, how often each status came so far. Status 0 is a connection
that the service ended without an answer.
"""

import asyncio
import contextlib
import json
import os
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass, field

Attack = Callable[["Stranger"], Awaitable[None]]
ANSWER_SECONDS = 60.0
PAUSE_SECONDS = 0.1
PIECE = bytes(1 << 16)
BYTES_IN_CHUNKS = b"1\r\na\r\n" * 10_000
LARGE_BYTES = 8 << 20
ENDLESS_BYTES = 64 << 20
JSON = "content-type: application/json"


@dataclass
class Stranger:
    """Who calls a service at a port, and how often which status came."""

    port: int
    seen: Counter[int] = field(default_factory=Counter)

    def head(self, method: str, path: str, *headers: str, host: str = "127.0.0.1") -> bytes:
        """Return the head of a call, without its last line."""
        lines = (f"{method} {path} HTTP/1.1", f"host: {host}:{self.port}", "connection: close", *headers)
        return ("\r\n".join(lines) + "\r\n").encode()

    @property
    def cookie(self) -> str:
        return f"cookie: aquila-session-{self.port}=x"

    async def ask(self, sent: bytes, more: Iterable[bytes] = ()) -> None:
        """Make a call, send more for as long as it is taken, and note the status of the answer."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            self.seen[0] += 1
            return

        async def send() -> None:
            with contextlib.suppress(OSError):
                writer.write(sent)
                for piece in more:
                    await writer.drain()
                    writer.write(piece)

        sending = asyncio.create_task(send())
        line = b""
        try:
            with contextlib.suppress(OSError):
                line = await asyncio.wait_for(reader.readline(), ANSWER_SECONDS)
            self.seen[int(line.split()[1]) if line.startswith(b"HTTP/1.1 ") else 0] += 1
        finally:
            sending.cancel()
            writer.close()

    async def ask_at_once(self, count: int, sent: bytes, more: Collection[bytes] = ()) -> None:
        """Make the same call many times at once."""
        await asyncio.gather(*(self.ask(sent, more) for _ in range(count)))


async def watch_rounds(stranger: Stranger) -> None:
    await stranger.ask_at_once(100, stranger.head("GET", "/rounds/x/live", stranger.cookie) + b"\r\n")


async def send_a_large_body(stranger: Stranger) -> None:
    """Sign in with 8 MiB of JSON."""
    head = stranger.head("POST", "/v1/people/sign-in", JSON, f"content-length: {LARGE_BYTES}")
    await stranger.ask(head + b'\r\n{"login": "', [PIECE] * (LARGE_BYTES // len(PIECE) - 1))


async def send_without_end(stranger: Stranger) -> None:
    kind = "content-type: multipart/form-data; boundary=x"
    head = stranger.head("POST", "/records/preview", kind, stranger.cookie, f"content-length: {ENDLESS_BYTES}")
    await stranger.ask(head + b"\r\n", [PIECE] * (ENDLESS_BYTES // len(PIECE)))


async def send_a_chunk_for_every_byte(stranger: Stranger) -> None:
    """Sign in with a body in chunks of one byte, as fast as they are taken."""
    head = stranger.head("POST", "/v1/people/sign-in", JSON, "transfer-encoding: chunked")
    await stranger.ask_at_once(50, head + b"\r\n", [BYTES_IN_CHUNKS] * (ENDLESS_BYTES // len(BYTES_IN_CHUNKS)))


async def send_calls_ahead(stranger: Stranger) -> None:
    """Send one call after another without waiting for an answer."""
    call = stranger.head("GET", "/v1/x").replace(b"connection: close\r\n", b"") + b"\r\n"
    await stranger.ask_at_once(20, call * (len(PIECE) // len(call)), [PIECE] * 4)


async def sign_in(stranger: Stranger) -> None:
    shown = json.dumps({"login": "first", "password": "a guess that is wrong", "code": "000000"}).encode()
    head = stranger.head("POST", "/v1/people/sign-in", JSON, f"content-length: {len(shown)}")
    await stranger.ask_at_once(200, head + b"\r\n" + shown)


async def send_half_heads(stranger: Stranger) -> None:
    await stranger.ask_at_once(300, stranger.head("GET", "/"))


async def send_half_bodies(stranger: Stranger) -> None:
    head = stranger.head("POST", "/v1/people/sign-in", JSON, "content-length: 99")
    await stranger.ask_at_once(50, head + b'\r\n{"')


async def name_a_foreign_host(stranger: Stranger) -> None:
    """Call the service by a name that is not its own."""
    await stranger.ask_at_once(50, stranger.head("GET", "/", host="rebound.example") + b"\r\n")


ATTACKS: tuple[Attack, ...] = (
    watch_rounds,
    send_a_large_body,
    send_without_end,
    send_a_chunk_for_every_byte,
    send_calls_ahead,
    sign_in,
    send_half_heads,
    send_half_bodies,
    name_a_foreign_host,
)


async def repeat(attack: Attack, stranger: Stranger) -> None:
    while True:
        await attack(stranger)
        await asyncio.sleep(PAUSE_SECONDS)


async def attack_at_once(port: int) -> None:
    """Do all attacks at once, and answer lines with how often each of them got each status, until the input ends."""
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    strangers = {attack: Stranger(port) for attack in ATTACKS}
    tasks = [asyncio.create_task(repeat(attack, stranger)) for attack, stranger in strangers.items()]
    while await lines.readline():
        for task in tasks:
            if task.done():
                task.result()  # none ends by itself: this raises what went wrong
        seen = {attack.__name__: stranger.seen for attack, stranger in strangers.items()}
        print(json.dumps(seen), flush=True)


async def main() -> None:
    """Attack, and leave without waiting for any call."""
    await attack_at_once(int(sys.argv[1]))
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main())
