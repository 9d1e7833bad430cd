"""The doctor's look at certificates: ends and files as the report on health has them, and chains and names too."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from services.kit.administration.doctor.findings import Finding, Findings, critical, fine
from services.kit.http.certificates import certificates_of
from services.kit.serving.health.checks import WARNING_DAYS, certificate_faults, days_left
from services.kit.serving.hosts import names_of
from services.kit.settings import PeerSettings, ServiceSettings, is_loopback


def examine_certificates(settings: ServiceSettings, peer: PeerSettings | None, now: int) -> Findings:
    """Yield findings about all certificates that the settings name.

    Args:
        settings: The service's settings.
        peer: A node's settings of its matcher.
        now: Seconds since 1970.
    """
    ends = certificates_of(settings, peer)
    for grade, sentence in certificate_faults(ends, now):
        yield Finding("certificates", grade, sentence)
    for end in ends.current():
        days = days_left(end, now)
        if days is not None and days >= WARNING_DAYS:
            yield fine("certificates", "doctor_certificate_fine", setting=end.setting, days=days)
    if settings.tls is not None:
        yield from _chain_faults("tls.certificate", settings.tls.certificate, now)
    if peer is not None and peer.certificate is not None:
        yield from _chain_faults("matcher.certificate", peer.certificate, now)
    yield from _name_faults(settings)


def _chain_faults(setting: str, path: Path, now: int) -> Iterator[Finding]:
    try:
        chain = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError):
        return  # found above
    for lower, upper in pairwise(chain):
        try:
            lower.verify_directly_issued_by(upper)
        except (ValueError, TypeError, InvalidSignature):
            yield critical("certificates", "doctor_chain_broken", setting=setting)
    if chain[0].not_valid_before_utc.timestamp() > now:
        yield critical("certificates", "doctor_certificate_not_yet_valid", setting=setting)


def _name_faults(settings: ServiceSettings) -> Iterator[Finding]:
    """Yield the fault of a certificate that lacks the name under which the service is called, or of none."""
    listen = settings.listen
    host = urlsplit(listen.public_url).hostname or listen.host
    if settings.tls is None:
        if not is_loopback(listen.host):
            yield critical("certificates", "tls_off_on_reachable_host", host=listen.host)
        else:
            yield fine("certificates", "doctor_only_loopback")
    elif host not in {"0.0.0.0", "::"} and not is_loopback(host):  # noqa: S104 - read, not bound
        # With no other names than those of loopback, the rest is what the certificate has.
        local = listen.model_copy(update={"host": "localhost", "public_url": "", "names": ()})
        if host not in names_of(settings.model_copy(update={"listen": local})):
            yield critical("certificates", "doctor_certificate_without_name", setting="tls.certificate", host=host)
