"""The doctor's look at certificates: files, keys, chains, names, and days left."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from aquila.errors import InputError
from services.kit.administration.doctor.findings import critical, fine, warning
from services.kit.http.tls import server_context
from services.kit.settings import is_loopback
from services.kit.storage.files import read_secret

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator
    from pathlib import Path

    from services.kit.administration.doctor.findings import Finding, Findings
    from services.kit.settings import CommandSettings, PeerSettings, ServiceSettings

_WARNED_DAYS = 30


def examine_service(settings: ServiceSettings, now: int) -> Findings:
    """Yield findings about the service's own certificate."""
    tls = settings.tls
    if tls is None:
        if not is_loopback(settings.listen.host):
            yield critical("certificates", "tls_off_on_reachable_host", host=settings.listen.host)
        else:
            yield fine("certificates", "doctor_only_loopback")
        return
    found = list(_pair("tls", tls.certificate, tls.key, now))
    yield from found
    host = urlsplit(settings.listen.public_url).hostname or settings.listen.host
    chain = _read(tls.certificate)
    names = _names(chain[0])
    if host not in {"0.0.0.0", "::"} and not is_loopback(host) and host not in names:  # noqa: S104 - read, not bound
        yield critical("certificates", "doctor_certificate_without_name", setting="tls", host=host)
    if tls.ca is not None:
        yield from _authorities("tls.ca", tls.ca, now)
    server_context(tls)  # as the service makes it at its start


def examine_peer(setting: str, peer: PeerSettings | CommandSettings, now: int) -> Findings:
    """Yield findings about the certificate that is shown to another service, and the CAs that are trusted there."""
    if peer.certificate is not None and peer.key is not None:
        yield from _pair(setting, peer.certificate, peer.key, now)
    if peer.ca is not None:
        yield from _authorities(f"{setting}.ca", peer.ca, now)


def examine_authority(setting: str, path: Path, now: int) -> Findings:
    """Yield findings about a file of CAs."""
    yield from _authorities(setting, path, now)


def _pair(setting: str, certificate: Path, key: Path, now: int) -> Iterator[Finding]:
    chain = _read(certificate)
    try:
        public = load_pem_private_key(read_secret(key), None).public_key()
    except (ValueError, TypeError):
        raise InputError("doctor_private_key_unreadable", setting=f"{setting}.key") from None
    if _spki(public) != _spki(chain[0].public_key()):
        yield critical("certificates", "doctor_key_of_another_certificate", setting=setting)
    for lower, upper in itertools.pairwise(chain):
        try:
            lower.verify_directly_issued_by(upper)
        except (ValueError, TypeError, InvalidSignature):
            yield critical("certificates", "doctor_chain_broken", setting=setting)
    yield _days(f"{setting}.certificate", min(one.not_valid_after_utc for one in chain), now)
    if chain[0].not_valid_before_utc.timestamp() > now:
        yield critical("certificates", "doctor_certificate_not_yet_valid", setting=setting)


def _authorities(setting: str, path: Path, now: int) -> Iterator[Finding]:
    yield _days(setting, max(one.not_valid_after_utc for one in _read(path)), now)


def _days(setting: str, end: dt.datetime, now: int) -> Finding:
    days = int(end.timestamp() - now) // 86_400
    if days < 0:
        return critical("certificates", "doctor_certificate_expired", setting=setting, days=-days)
    if days <= _WARNED_DAYS:
        return warning("certificates", "doctor_certificate_ends", setting=setting, days=days)
    return fine("certificates", "doctor_certificate_fine", setting=setting, days=days)


def _read(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise InputError("backup_file_unreadable", file=str(path), fault=error.strerror) from None
    except ValueError:
        raise InputError("doctor_no_certificate", file=str(path)) from None


def _names(certificate: x509.Certificate) -> set[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    return {*found.get_values_for_type(x509.DNSName), *map(str, found.get_values_for_type(x509.IPAddress))}


def _spki(key: object) -> bytes:
    octets: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined]  # of every kind
    return octets
