"""Outgoing calls: one httpx client per peer, whose failures are errors of the tree.

A peer that cannot be reached, is too slow, or answers 502, 503 or 504 is `PeerUnavailableError`, which is worth
another try. A problem document becomes the error that the peer raised. Answers are read up to a limit. Nothing comes
from the environment: no proxy, no credentials, no certificates.
"""

import contextlib
import importlib.util
import re
import ssl
import sys
from collections.abc import AsyncIterator
from typing import Any, BinaryIO

import httpx

import aquila
from aquila.errors import AquilaError, ExecutorError, InputError, ProtocolError
from aquila.protocol.problems import MEDIA_TYPE
from aquila.sentences import Sentence
from services.kit import errors
from services.kit.http.tls import RenewedContext, certificate_fault, tls_context
from services.kit.logging import HEADER, REQUEST, Log, new_id
from services.kit.settings import PeerSettings
from services.kit.work import threads
from services.kit.work.threads import Pool

AS_JSON = {"content-type": "application/json"}
"""Headers of a call whose content is JSON in bytes."""

_LOG = Log("kit.peer")
_AWAY = frozenset({429, 502, 503, 504})  # 429 is for a node that calls too fast: it comes again like one that waited
_AS_OURS = (
    (errors.StoreFullError, errors.PeerFullError),
    (errors.StoreError, errors.PeerFailedError),
    (ExecutorError, errors.PeerFailedError),
)
_PROBLEM_BYTES = 1 << 16
_LONGEST_WAIT = 3600
_PIECE_BYTES = 1 << 16


class Peer:
    """The other service. Making one connects to nothing; `close` it at the end."""

    def __init__(
        self, settings: PeerSettings, auth: httpx.Auth | None = None, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """Prepare a client whose calls `auth` signs; `transport` replaces the network in tests.

        Raises:
            InputError: A certificate or key cannot be read.
        """
        self.settings = settings
        self.url = settings.url.rstrip("/")
        self._auth, self._transport = auth, transport
        _settle_optional("sniffio")
        self.tls: RenewedContext | None = tls_context(settings) if self.url.startswith("https") else None
        self._answer_bytes = settings.answer_mebibytes << 20
        self._client = httpx.AsyncClient(
            base_url=self.url,
            auth=auth,
            verify=True if self.tls is None else self.tls,
            timeout=httpx.Timeout(settings.read_seconds, connect=settings.connect_seconds),
            follow_redirects=False,
            trust_env=False,
            # Compressed answers could grow without limit while they are read.
            headers={"accept-encoding": "identity", "user-agent": f"aquila/{aquila.__version__}"},
            transport=transport,
        )

    def moved(self, settings: PeerSettings) -> "Peer":
        """Return a client of the same peer at another address; this one stays for the calls that it makes."""
        return Peer(settings, self._auth, self._transport)

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Make a call and return its whole answer, whose status is 2xx.

        Args:
            path: The path, whose segments are quoted by the caller.
            options: What httpx takes: `content`, `json`, `params`, `headers`.

        Raises:
            PeerUnavailableError: The peer is away; nothing is known about what it did.
            PeerFullError: The peer has no room now.
            PeerFailedError: The peer's store or a worker of its failed; other calls may go through.
            AquilaError: What the peer's problem document says.
            ProtocolError: The answer cannot be used: too large, a redirect, an unknown refusal.
        """
        async with self._stream(method, path, options) as response:
            body = b"".join([piece async for piece in _pieces(response, self._answer_bytes)])
            return httpx.Response(
                response.status_code, headers=response.headers, content=body, request=response.request
            )

    async def copy(self, path: str, into: BinaryIO, *, limit: int) -> None:
        """Make a GET call and write its answer piece by piece.

        Args:
            into: Receives the answer; after an error, a part of it.
            limit: Bytes that the answer may have.

        Raises:
            PeerUnavailableError: The peer is away, or went away in the middle.
            ProtocolError: The answer has more than `limit` bytes.
            AquilaError: What the peer's problem document says.
        """
        async with self._stream("GET", path, {}) as response:
            async for piece in _pieces(response, limit):
                await threads.run(Pool.DRIVERS, into.write, piece)

    async def close(self) -> None:
        await self._client.aclose()

    @contextlib.asynccontextmanager
    async def _stream(self, method: str, path: str, options: dict[str, Any]) -> AsyncIterator[httpx.Response]:
        """Open a call whose status is 2xx; raises as `call` does."""
        request_id = REQUEST.get() or new_id()
        headers = httpx.Headers(options.pop("headers", None))
        headers[HEADER] = request_id
        try:
            async with self._client.stream(method, path, headers=headers, **options) as response:
                if not response.is_success:
                    error = await _refusal(response)
                    _LOG.info(
                        "peer_refused",
                        request=request_id,
                        method=method,
                        status=response.status_code,
                        code=error.sentence.code,
                    )
                    raise error
                yield response
        except httpx.InvalidURL:
            raise InputError("call_path_malformed") from None
        except (httpx.HTTPError, ssl.SSLError) as error:
            # Its message may quote what came; the class says what happened.
            kind, code = type(error).__name__, certificate_fault(error)
            raise errors.PeerUnavailableError(code or "peer_unreachable", peer=self.url, kind=kind) from None


def _settle_optional(module: str) -> None:
    """Let imports of an optional module that is not installed fail at once, in this process and from now on.

    httpcore tries to import one at each lock of each call, and Python remembers what it found but not what it did not:
    each time all folders are searched again.
    """
    if module not in sys.modules and importlib.util.find_spec(module) is None:
        sys.modules[module] = None  # type: ignore[assignment]  # as the import system documents it


async def _pieces(response: httpx.Response, limit: int) -> AsyncIterator[bytes]:
    """Hand out the non-empty pieces of an answer as they come over the wire."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise ProtocolError("peer_answer_compressed")
    size = 0
    async for piece in response.aiter_raw(_PIECE_BYTES):
        size += len(piece)
        if size > limit:
            raise ProtocolError("peer_answer_too_large", limit=limit)
        if piece:
            yield piece


async def _refusal(response: httpx.Response) -> AquilaError:
    """Return the error that an unsuccessful answer describes."""
    if response.headers.get("content-type", "").partition(";")[0] == MEDIA_TYPE:
        error = errors.error_from_problem(b"".join([piece async for piece in _pieces(response, _PROBLEM_BYTES)]))
    elif response.status_code in _AWAY:
        error = errors.PeerUnavailableError("peer_answer_failed", status_code=response.status_code)
    else:
        error = ProtocolError("peer_refused_without_problem_document", status=response.status_code)
    if response.status_code not in _AWAY:
        return error
    # A failed store or full disk of the peer is not ours: our own disk is fine.
    wait = _retry_after(response.headers.get("retry-after", ""))
    fields = {name: value for name, value in error.sentence.fields.items() if name != "retry_after"}
    away = next((ours for theirs, ours in _AS_OURS if isinstance(error, theirs)), errors.PeerUnavailableError)
    return away(Sentence(error.sentence.code, fields), **({} if wait is None else {"retry_after": wait}))


def _retry_after(value: str) -> int | None:
    """Return the seconds of a Retry-After, an hour at most; the form with a date is not used by our services."""
    return min(int(value), _LONGEST_WAIT) if re.fullmatch(r"[0-9]{1,9}", value) else None
