"""TLS 1.3 on both sides: files that are read again when they change, and the reason why a connection is refused.

An `ssl.SSLContext` is made once and used for years. `RenewedContext` is one that looks at its files before each
handshake, which costs a few calls of `stat`, and makes its inner context again when one of them has changed. Where the
new files cannot be used, because half of them are written or a key does not fit, the earlier ones stay in force.
"""

import ssl
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from aquila.errors import AquilaError, InputError
from services.kit.logging import Log
from services.kit.settings import PeerSettings, TlsSettings
from services.kit.storage.files import check_private

_LOG = Log("kit.tls")
_REFUSAL_SECONDS = 60.0
_MOST_UNREAD = 1 << 16  # bytes that a caller may send on after its certificate was refused
_MOST_CAUSES = 8
# OpenSSL's X509_V_ERR_... (x509_vfy.h): why a certificate is refused here.
_REFUSED_HERE = {
    2: "certificate_authority_unknown",
    9: "certificate_not_yet_valid",
    10: "certificate_expired",
    18: "certificate_authority_unknown",
    19: "certificate_authority_unknown",
    20: "certificate_authority_unknown",
    21: "certificate_authority_unknown",
    62: "certificate_of_another_name",
    64: "certificate_of_another_name",
}
# Alerts of RFC 8446 section 6.2, as OpenSSL names them: why the other side refuses the certificate that was shown.
_REFUSED_THERE = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "certificate_missing",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "own_certificate_missing",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "own_certificate_expired",
    "TLSV1_ALERT_UNKNOWN_CA": "own_certificate_authority_unknown",
    "SSLV3_ALERT_BAD_CERTIFICATE": "own_certificate_refused",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "own_certificate_refused",
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": "own_certificate_refused",
    "SSLV3_ALERT_CERTIFICATE_REVOKED": "own_certificate_refused",
}


class FileStates(NamedTuple):
    """The states of files, by which a change is noticed: inode, size and time of change; None of a missing one."""

    states: tuple[tuple[int, int, int] | None, ...]

    @classmethod
    def of(cls, paths: Iterable[Path]) -> "FileStates":
        return cls(tuple(map(_state, paths)))


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


class RenewedContext(ssl.SSLContext):
    """A context whose certificates, keys and CAs are those that its files hold now."""

    failure: AquilaError | None
    """Why the files that changed last cannot be used; None while those in force are the newest."""
    _make: Callable[[], ssl.SSLContext]
    _paths: tuple[Path, ...]
    _states: FileStates
    _inner: ssl.SSLContext
    _lock: threading.Lock
    _refusals: dict[str, float]

    @classmethod
    def of(cls, protocol: int, make: Callable[[], ssl.SSLContext], paths: Iterable[Path | None]) -> "RenewedContext":
        """Return a context; raises as `make` does."""
        context = cls(protocol)
        context._make, context._paths = make, tuple(path for path in paths if path is not None)
        context._states, context._lock = FileStates.of(context._paths), threading.Lock()
        context._inner, context.failure, context._refusals = make(), None, {}
        return context

    def current(self) -> ssl.SSLContext:
        """Return the context of the files as they are, or the last one that could be made."""
        states = FileStates.of(self._paths)
        with self._lock:
            if states != self._states:
                self._states = states
                try:
                    self._inner, self.failure = self._make(), None
                    _LOG.info("certificates_renewed")
                except AquilaError as error:
                    self.failure = error
                    _LOG.error("certificates_not_renewed", error=error)
            return self._inner

    def wrap_bio(self, incoming: ssl.MemoryBIO, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        begun = self.current().wrap_bio(incoming, *args, **kwargs)
        if isinstance(begun, _ServerHandshake):
            begun.incoming, begun.refused = incoming, self._log_refusal
        return begun

    def wrap_socket(self, *args: Any, **kwargs: Any) -> ssl.SSLSocket:
        return self.current().wrap_socket(*args, **kwargs)

    def _log_refusal(self, code: str) -> None:
        """Log why a handshake failed, once a minute for each reason: strangers cannot fill a disk with it."""
        now = time.monotonic()
        if now - self._refusals.get(code, -_REFUSAL_SECONDS) >= _REFUSAL_SECONDS:
            self._refusals[code] = now
            _LOG.warning("certificate_refused", code=code)


class _ServerHandshake(ssl.SSLObject):
    """The service's side of a handshake, which logs why a certificate is refused, and lets the caller know.

    asyncio resets the connection of a handshake that failed, and the alert with the reason stays unsent. Here it
    believes that more has to come from the caller, and so sends what there is. The caller closes the connection when
    it has read the alert, and otherwise the limit of handshakes breaks it (`services.kit.http.connections`).
    """

    incoming: ssl.MemoryBIO
    refused: Callable[[str], None]
    _failed: ssl.SSLError | None = None

    def do_handshake(self) -> None:
        if self._failed is not None:
            if self.incoming.pending > _MOST_UNREAD:
                raise self._failed
            raise ssl.SSLWantReadError
        try:
            super().do_handshake()
        except ssl.SSLError as error:
            code = certificate_fault(error)
            if code is None:
                raise
            self.refused(code)
            self._failed = error
            raise ssl.SSLWantReadError from None


def certificate_fault(error: BaseException) -> str | None:
    """Return the id of the sentence that explains a refused certificate, or None if it was not for a certificate."""
    for _ in range(_MOST_CAUSES):
        if isinstance(error, ssl.SSLCertVerificationError):
            return _REFUSED_HERE.get(error.verify_code, "certificate_invalid")
        if isinstance(error, ssl.SSLError):
            return _REFUSED_THERE.get(error.reason or "")
        cause = error.__cause__ or error.__context__
        if cause is None:
            return None
        error = cause
    return None


def server_context(tls: TlsSettings) -> RenewedContext:
    """Return the TLS 1.3 side of a service.

    Raises:
        KeyMaterialError: The key is open to others.
    """

    def make() -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.sslobject_class = _ServerHandshake
        check_private(tls.key)
        try:
            context.load_cert_chain(tls.certificate, tls.key)
            if tls.ca is not None:
                context.load_verify_locations(tls.ca)
                context.verify_mode = ssl.CERT_REQUIRED if tls.verify_clients else ssl.CERT_OPTIONAL
        except OSError as error:
            raise InputError(
                "tls_certificate_or_key_unreadable", fault=error.strerror or type(error).__name__
            ) from None
        return context

    return RenewedContext.of(ssl.PROTOCOL_TLS_SERVER, make, (tls.certificate, tls.key, tls.ca))


def tls_context(settings: PeerSettings) -> RenewedContext:
    """Return the TLS 1.3 side of a caller: the peer's CA, and the client certificate if there is one.

    Raises:
        KeyMaterialError: The key is open to others.
    """

    def make() -> ssl.SSLContext:
        if settings.key is not None:
            check_private(settings.key)
        try:
            context = ssl.create_default_context(cafile=settings.ca)
            context.minimum_version = ssl.TLSVersion.TLSv1_3
            if settings.certificate is not None:
                context.load_cert_chain(settings.certificate, settings.key)
        except (OSError, ssl.SSLError) as error:
            raise InputError(
                "peer_certificate_or_key_unreadable", url=settings.url, fault=error.strerror or type(error).__name__
            ) from None
        return context

    return RenewedContext.of(ssl.PROTOCOL_TLS_CLIENT, make, (settings.ca, settings.certificate, settings.key))
