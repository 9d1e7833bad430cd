"""One connection to a service's operator interface: a bearer token, TLS, and problems as errors of the tree.

Nothing comes from the environment: no proxy, no credentials, no certificates. A token leaves this machine over TLS
only.
"""

import ssl
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Self, TypedDict, TypeVar, Unpack
from urllib.parse import urlsplit

import httpx
from pydantic import ValidationError

from aquila.errors import AquilaError, InputError, MalformedError, ProtocolError
from aquila.protocol.messages import Message
from aquila.protocol.problems import MEDIA_TYPE
from services.kit.errors import PeerUnavailableError, error_from_problem
from services.kit.http.tls import RenewedContext, certificate_fault

M = TypeVar("M", bound=Message)

_AWAY = frozenset({502, 503, 504})
_CONNECT_SECONDS = 5.0
_READ_SECONDS = 300.0
LIST_TIMEOUT = httpx.Timeout(3_600.0, connect=_CONNECT_SECONDS)
"""Of calls with a list: a node reads, checks and stores all of it before it answers, a million records in minutes."""


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """PEM files of the certificate that a caller shows to a service which asks for one, and of its private key."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Access:
    """The address of a service and the credentials for it."""

    service: str
    """What it is, for messages: node or matcher."""
    url: str
    """Its base URL; http on loopback only."""
    token: str = field(repr=False)
    """The token of a session or of the home's key, which is never shown; empty before the sign-in."""
    ca: Path | None = None
    """PEM file of the CA that signed its certificate; the system's CAs without one."""
    certificate: ClientCertificate | None = None
    """What is shown to a service with `verify_clients`."""


class RequestOptions(TypedDict, total=False):
    """What a call sends beside its method and path, as httpx names it."""

    json: Mapping[str, Any]
    params: Mapping[str, str]
    content: bytes | Iterable[bytes]
    timeout: httpx.Timeout


class Connection:
    """Calls to one service.

    Args:
        transport: Instead of the network, in tests.

    Raises:
        InputError: The URL is none, or would carry the token in the clear, or the CA or the certificate cannot be
            read.
    """

    def __init__(self, access: Access, transport: httpx.BaseTransport | None = None) -> None:
        _check_url(access.url)
        self.service, self.url = access.service, access.url.rstrip("/")
        self._client = httpx.Client(
            base_url=self.url,
            headers={"accept-encoding": "identity"},
            verify=_tls_context(access.ca, access.certificate) if self.url.startswith("https") else True,
            timeout=httpx.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS),
            follow_redirects=False,
            trust_env=False,
            transport=transport,
        )
        self._token, self._key = access.token, ""
        self._shows_nothing = access.certificate is None and self.url.startswith("https")

    def carry(self, token: str) -> None:
        """Show another token from now on, or none."""
        self._token = token

    def as_bearer(self, token: str) -> Self:
        """Return a connection that shares this one's sockets and TLS and calls with another token, or none.

        One process may speak for many people, each with the token of their own session; only this one is closed.
        """
        other = copy(self)
        other._token = token  # noqa: SLF001 - of our own class
        return other

    def with_key(self, key: str) -> Self:
        """Return a connection, as `as_bearer` does, whose calls have an idempotency key; repeated, one is done once."""
        other = copy(self)
        other._key = key  # noqa: SLF001 - of our own class
        return other

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Connection({self.service} at {self.url})"

    def close(self) -> None:
        self._client.close()

    def fetch(self, answer: type[M], method: str, path: str, **options: Unpack[RequestOptions]) -> M:
        """Make a call and read its answer as a message.

        Raises:
            MalformedError: The answer is no such message.
            AquilaError: As `call`.
        """
        return self.read(answer, self.call(method, path, **options))

    def read(self, answer: type[M], content: bytes) -> M:
        """Read the body of an answer as a message; raises MalformedError if it is no such message."""
        try:
            return answer.model_validate_json(content)
        except ValidationError:
            # pydantic's own message would quote the answer, which may hold the operator's records.
            raise MalformedError(
                "service_answer_unexpected", service=self.service, url=self.url, kind=answer.__name__
            ) from None

    def call(self, method: str, path: str, **options: Unpack[RequestOptions]) -> bytes:
        """Make a call and return the body of its answer, whose status is 2xx.

        Raises:
            PeerUnavailableError: The service cannot be reached, or says that it is away.
            AquilaError: What the service's problem document says.
            ProtocolError: It refused without a problem document.
        """
        try:
            headers = {"authorization": f"Bearer {self._token}"} if self._token else {}
            headers |= {"idempotency-key": self._key} if self._key else {}
            response = self._client.request(method, path, headers=headers, **options)
        except httpx.HTTPError as error:
            # Its message may quote what came; the class says what happened.
            raise PeerUnavailableError(
                self._why(error), peer=self.url, service=self.service, kind=type(error).__name__
            ) from None
        if not response.is_success:
            raise _refusal(response)
        return response.content

    def _why(self, error: httpx.HTTPError) -> str:
        """Return the id of the fault; a service that wants a certificate ends the connection of who has none."""
        if code := certificate_fault(error):
            return code
        if isinstance(error, httpx.ReadTimeout):
            return "service_answer_late"
        ended = isinstance(error, httpx.ReadError | httpx.RemoteProtocolError)
        return "service_ends_connection" if ended and self._shows_nothing else "service_unreachable"


def _refusal(response: httpx.Response) -> AquilaError:
    if response.headers.get("content-type", "").partition(";")[0] == MEDIA_TYPE:
        return error_from_problem(response.content)
    if response.status_code in _AWAY:
        return PeerUnavailableError("service_answer_failed", status_code=response.status_code)
    return ProtocolError("service_refused_without_problem_document", status=response.status_code)


def _check_url(url: str) -> None:
    """Refuse a URL that is none or would carry the token in the clear; raises InputError if it is."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InputError("service_address_malformed", url=url or "an empty text")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise InputError("token_sent_in_clear", url=url)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _tls_context(ca: Path | None, shown: ClientCertificate | None) -> RenewedContext:
    """Return the caller's side of TLS 1.3; `aquila web` runs for years, and its files change meanwhile.

    Raises:
        InputError: The CA cannot be read, or the certificate that is shown, or its key.
    """
    files = (ca, *((shown.certificate, shown.key) if shown else ()))
    return RenewedContext.of(ssl.PROTOCOL_TLS_CLIENT, partial(_new_context, ca, shown), files)


def _new_context(ca: Path | None, shown: ClientCertificate | None) -> ssl.SSLContext:
    """Return a context of the files as they are; raises as `_tls_context` does."""
    try:
        context = ssl.create_default_context(cafile=ca)
    except OSError as error:
        raise InputError("ca_unreadable", ca=ca, fault=error.strerror or type(error).__name__) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    if shown is not None:
        try:
            context.load_cert_chain(shown.certificate, shown.key)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise InputError("certificate_or_key_unreadable", certificate=shown.certificate, reason=reason) from None
    return context
