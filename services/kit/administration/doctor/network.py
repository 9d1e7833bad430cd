"""The doctor's look at other services: whether they can be reached, and what their clocks show."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urlsplit

import httpx

from aquila.sentences import Sentence
from services.kit.administration.doctor.findings import Finding, Findings, critical, fine, warning
from services.kit.http.tls import certificate_fault, tls_context
from services.kit.settings import PeerSettings, ProviderSettings, ServiceSettings
from services.kit.work.executors import open_cluster

_SECONDS = 10
_MOST_SKEW = 300
_WARNED_SKEW = 60


def examine_peer(name: str, settings: PeerSettings, clock: Callable[[], int]) -> Findings:
    """Yield findings about another service: its answer, and the difference of the clocks.

    Args:
        name: Which service, `matcher`.
        settings: Where it is, and how it is trusted.
        clock: Seconds since 1970.
    """
    before = clock()
    answer, fault = _get(settings, "/health")
    if answer is None:
        yield critical(name, "doctor_unreachable", host=urlsplit(settings.url).netloc, reason=fault)  # type: ignore[arg-type]  # a sentence is a field
        return
    if answer.status_code != HTTPStatus.NO_CONTENT:
        yield critical(name, "doctor_other_answer", host=urlsplit(settings.url).netloc, status=answer.status_code)
        return
    yield fine(name, "doctor_reached", host=urlsplit(settings.url).netloc)
    yield from _clock(answer.headers.get("date", ""), (before + clock()) // 2)


def examine_own_address(settings: ServiceSettings) -> Findings:
    """Yield a finding about whether the service runs."""
    listen = settings.listen
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listen.host, listen.host)  # noqa: S104 - called, not bound
    if listen.port == 0:
        return
    scheme = "http" if settings.tls is None else "https"
    url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{listen.port}"
    try:
        # Whether it answers, not who it is: the certificate is looked at as a file.
        httpx.get(f"{url}/health", verify=False, timeout=_SECONDS, trust_env=False)  # noqa: S501 - see above
    except (httpx.ReadError, httpx.RemoteProtocolError):
        yield fine("service", "doctor_running", url=url)  # it wants a certificate of its callers
    except httpx.HTTPError:
        yield warning("service", "doctor_not_running", url=url)
    else:
        yield fine("service", "doctor_running", url=url)


def examine_cluster(settings: ServiceSettings) -> Findings:
    """Yield a finding about the Dask cluster of the settings; raises as `open_cluster` does."""
    opened = open_cluster(settings)
    opened.close()
    yield fine("workers", "doctor_workers_fine", count=opened.workers)


def examine_provider(settings: ProviderSettings) -> Findings:
    """Yield findings about the ministry's identity provider."""
    peer = PeerSettings(url=settings.issuer, ca=settings.ca)
    answer, fault = _get(peer, "/.well-known/openid-configuration")
    host = urlsplit(settings.issuer).netloc
    if answer is None:
        yield critical("provider", "doctor_unreachable", host=host, reason=fault)  # type: ignore[arg-type]  # a sentence is a field
        return
    try:
        issuer = answer.json()["issuer"]
    except (ValueError, KeyError, TypeError):
        issuer = None
    if issuer != settings.issuer:
        yield critical("provider", "doctor_other_issuer", host=host)
    else:
        yield fine("provider", "doctor_reached", host=host)


def _get(settings: PeerSettings, path: str) -> tuple[httpx.Response | None, Sentence]:
    """Return the answer to a call without a signature, or why there is none."""
    verify: ssl.SSLContext | bool = tls_context(settings) if settings.url.startswith("https") else True
    try:
        return httpx.get(
            settings.url.rstrip("/") + path, verify=verify, timeout=_SECONDS, trust_env=False
        ), Sentence.of("doctor_reached", host="")
    except httpx.HTTPError as error:
        code = certificate_fault(error)
        return None, Sentence.of(code, peer=settings.url) if code else Sentence.of(
            "doctor_no_connection", kind=type(error).__name__
        )


def _clock(date: str, now: int) -> Iterator[Finding]:
    try:
        there = int(parsedate_to_datetime(date).timestamp())
    except (ValueError, TypeError):
        yield warning("clock", "doctor_clock_unknown")
        return
    skew = abs(there - now)
    if skew > _MOST_SKEW:
        yield critical("clock", "doctor_clock_differs", seconds=skew)
    elif skew > _WARNED_SKEW:
        yield warning("clock", "doctor_clock_differs", seconds=skew)
    else:
        yield fine("clock", "doctor_clock_fine", seconds=skew)
