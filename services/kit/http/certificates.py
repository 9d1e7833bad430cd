"""The certificates that a service's settings name: when they end, and whether their files fit together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from cryptography import x509

from aquila.errors import AquilaError
from services.kit.http.tls import FileStates, server_context, tls_context
from services.kit.settings import PeerSettings, ServiceSettings


class CertificateFile(NamedTuple):
    """A file of certificates: the setting that names it, its path if it does, and whether it holds CAs."""

    setting: str
    path: Path | None
    authorities: bool = False


class CertificateEnd(NamedTuple):
    """The end of the certificate that a setting names, in seconds since 1970; None if the file cannot be read."""

    setting: str
    ends_at: int | None


class CertificateEnds:
    """Reads the ends of certificates; files are read again when they change. For one thread at a time.

    Attributes:
        faults: Why files do not fit together: what a service or a caller with these files would refuse.
    """

    def __init__(
        self,
        files: Sequence[CertificateFile],
        keys: Sequence[Path | None] = (),
        contexts: Sequence[Callable[[], object]] = (),
    ) -> None:
        """Prepare.

        Args:
            files: The files of certificates.
            keys: The private keys that belong to them.
            contexts: Each makes a context from the files, and raises an error of the tree where it cannot.
        """
        self._ends = {one.setting: partial(_end, one.path, last=one.authorities) for one in files if one.path}
        self._paths = [path for path in (*(one.path for one in files), *keys) if path is not None]
        self._contexts = contexts
        self._states: FileStates | None = None
        self._found: tuple[CertificateEnd, ...] = ()
        self.faults: tuple[AquilaError, ...] = ()

    def current(self) -> tuple[CertificateEnd, ...]:
        """Return the end of each certificate."""
        states = FileStates.of(self._paths)
        if states != self._states:
            self._states = states
            self._found = tuple(CertificateEnd(setting, end()) for setting, end in self._ends.items())
            self.faults = tuple(_faults(self._contexts))
        return self._found


def certificates_of(settings: ServiceSettings, peer: PeerSettings | None = None) -> CertificateEnds:
    """Return the certificates that settings name.

    Args:
        settings: The service's settings.
        peer: A node's settings of its matcher.
    """
    tls, command = settings.tls, settings.command
    found = [
        CertificateFile("dask_certificate_file", settings.dask_certificate_file),
        CertificateFile("dask_ca_file", settings.dask_ca_file, authorities=True),
    ]
    keys, contexts = list[Path | None](), list[Callable[[], object]]()
    if tls is not None:
        found += [
            CertificateFile("tls.certificate", tls.certificate),
            CertificateFile("tls.ca", tls.ca, authorities=True),
        ]
        keys.append(tls.key)
        contexts.append(partial(server_context, tls))
    if peer is not None and peer.url.startswith("https"):
        found += [
            CertificateFile("matcher.certificate", peer.certificate),
            CertificateFile("matcher.ca", peer.ca, authorities=True),
        ]
        keys.append(peer.key)
        contexts.append(partial(tls_context, peer))
    if command is not None:
        found += [
            CertificateFile("command.certificate", command.certificate),
            CertificateFile("command.ca", command.ca, authorities=True),
        ]
    return CertificateEnds(found, keys, contexts)


def _faults(contexts: Sequence[Callable[[], object]]) -> Iterator[AquilaError]:
    for make in contexts:
        try:
            make()
        except AquilaError as error:
            yield error


def _end(path: Path, *, last: bool) -> int | None:
    """Return when the first certificate of a file ends, or when the last of them does; None if it cannot be read."""
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError):
        return None
    ends = [int(one.not_valid_after_utc.timestamp()) for one in found]
    return max(ends) if last else ends[0]
