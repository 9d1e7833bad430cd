"""The signature of a published report: of this file, by the matcher, as a report, with a head of the matcher's log."""

import hashlib

import pytest
from pydantic import ValidationError

from aquila.audit.checkpoint import Checkpoint, cosign
from aquila.crypto.envelope import sign_envelope
from aquila.crypto.keys import IdentityKey
from aquila.errors import AuditError, MalformedError, SignatureError
from aquila.protocol.published_report import PublishedReport, check_report, sign_report
from aquila.protocol.registry import MATCHER, RegisteredParty, Registry

FILE = b"%PDF-1.7 of some numbers"


def key(seed: int) -> IdentityKey:
    return IdentityKey.generate(lambda count: bytes([seed]) * count)


MATCHER_KEY, PARTY_KEY, FORMER_KEY, OTHER_KEY = map(key, range(1, 5))
REGISTRY = Registry(
    MATCHER_KEY.public,
    {"AL": RegisteredParty("AL", "AL", PARTY_KEY.public), "RS": RegisteredParty("RS", "RS", OTHER_KEY.public)},
    former={MATCHER: (FORMER_KEY.public,)},
)
HEAD = Checkpoint(REGISTRY.origin_of(MATCHER), 7, b"r" * 32)


def report(checkpoint: Checkpoint = HEAD, **changed: object) -> PublishedReport:
    note = cosign(checkpoint.sign(MATCHER_KEY), REGISTRY.witness_of("AL"), PARTY_KEY, 90)
    found = {
        "digest": hashlib.sha256(FILE).hexdigest(),
        "size": len(FILE),
        "title": "Annual report",
        "since": "2026-01-01",
        "until": "2026-12-31",
        "issued_at": 100,
        "checkpoint": note.to_bytes().decode(),
    }
    return PublishedReport.model_validate(found | changed)


@pytest.mark.parametrize("signer", [MATCHER_KEY, FORMER_KEY], ids=["the key of now", "one that it had"])
def test_a_signed_report(signer: IdentityKey) -> None:
    """It is by the matcher, and names the head of its log and who cosigned it."""
    found = check_report(FILE, sign_report(report(), signer), REGISTRY)
    assert (found.report, found.signer, found.checkpoint) == (report(), signer.public, HEAD)
    assert found.cosigned == {"AL": 90}
    assert found.is_former is (signer is FORMER_KEY)


@pytest.mark.parametrize(
    "days", [{"since": "2026-13-01"}, {"until": "2026-02-29"}, {"until": "2026-1-1"}, {"since": "2027-01-01"}]
)
def test_days_are_dates_and_ascend(days: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        report(**days)  # type: ignore[arg-type]  # it takes any field


@pytest.mark.parametrize("content", [FILE + b" ", FILE[:-1], b"", FILE.replace(b"some", b"more")])
def test_another_file_is_refused(content: bytes) -> None:
    with pytest.raises(AuditError) as caught:
        check_report(content, sign_report(report(), MATCHER_KEY), REGISTRY)
    assert caught.value.sentence.code == "report_differs_from_signature"


def test_another_signer_is_refused() -> None:
    """Neither a party signs a report, nor is anything else that the matcher signs one."""
    with pytest.raises(SignatureError):
        check_report(FILE, sign_report(report(), PARTY_KEY), REGISTRY)
    other = sign_envelope("application/vnd.aquila.opening+json", report().payload(), MATCHER_KEY)
    with pytest.raises(MalformedError):
        check_report(FILE, other, REGISTRY)
    forged = sign_report(report(), MATCHER_KEY).replace(b'"sig":"', b'"sig":"AAAA', 1)
    with pytest.raises(MalformedError):
        check_report(FILE, forged, REGISTRY)


def test_a_head_of_another_log_is_refused() -> None:
    elsewhere = Checkpoint(REGISTRY.origin_of("AL"), 7, b"r" * 32)
    with pytest.raises(AuditError):
        check_report(FILE, sign_report(report(elsewhere), MATCHER_KEY), REGISTRY)
