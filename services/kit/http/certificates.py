"""The ends of the certificates that a service's settings name, read from their files."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cryptography import x509

from services.kit.http.tls import FileStates

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class CertificateFile(NamedTuple):
    """A file of certificates: the setting that names it, and whether it holds CAs."""

    setting: str
    path: Path
    authorities: bool = False


class CertificateEnd(NamedTuple):
    """The end of the certificate that a setting names, in seconds since 1970; None if the file cannot be read."""

    setting: str
    ends_at: int | None


class CertificateEnds:
    """Reads the ends of certificates; a file is read again when it changes. For one thread at a time."""

    def __init__(self, files: Sequence[CertificateFile]) -> None:
        self._files = files
        self._states: FileStates | None = None
        self._found: tuple[CertificateEnd, ...] = ()

    def look(self) -> tuple[CertificateEnd, ...]:
        """Return the end of each certificate."""
        states = FileStates.of(file.path for file in self._files)
        if states != self._states:
            self._states, self._found = states, tuple(CertificateEnd(one.setting, _end(one)) for one in self._files)
        return self._found


def _end(file: CertificateFile) -> int | None:
    """Return when the first certificate of a file ends; of CAs, when the last of them does."""
    try:
        found = x509.load_pem_x509_certificates(file.path.read_bytes())
    except (OSError, ValueError):
        return None
    ends = [int(one.not_valid_after_utc.timestamp()) for one in found]
    return max(ends) if file.authorities else ends[0]
