"""The signature of a published report, a file beside it (docs/STATISTICS.md): the matcher's statement about the report.

It is a DSSE envelope under the matcher's identity key (PROTOCOL.md 2.1) with the report's SHA-256 and the head of the
matcher's log that the report names. Its payload type tells it from everything else that this key signs.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from aquila.audit.checkpoint import LARGEST_NOTE, Checkpoint, open_checkpoint
from aquila.crypto.envelope import open_envelope, sign_envelope
from aquila.crypto.keys import SigningKey, VerifyKey
from aquila.errors import AuditError
from aquila.protocol.messages.base import Day, Digest, GivenText, Message, Positive, Seconds
from aquila.protocol.registry import MATCHER, Registry


class PublishedReport(Message):
    """What the matcher signs about a report."""

    payload_type: ClassVar[str] = "application/vnd.aquila.publishedreport+json"

    digest: Digest
    """SHA-256 of the file."""
    size: Positive
    """Its bytes."""
    title: GivenText
    since: Day
    until: Day
    """The days that it is about, both included."""
    issued_at: Seconds
    checkpoint: Annotated[str, Field(max_length=LARGEST_NOTE)]
    """The head of the matcher's log that it names: a signed note with the cosignatures that had come."""

    @model_validator(mode="after")
    def _days_ascend(self) -> Self:
        if self.since > self.until:
            raise ValueError("days")
        return self


@dataclass(frozen=True, slots=True)
class CheckedReport:
    """A report that is the signed one."""

    report: PublishedReport
    signer: VerifyKey
    is_former: bool
    """Whether another key of the matcher has taken the signer's place: then its log alone tells whether it had signed
    before (`report_signed` with the file's digest before `key_replaced`)."""
    checkpoint: Checkpoint
    cosigned: Mapping[str, int]
    """When each party cosigned the checkpoint; seconds since 1970."""


def sign_report(report: PublishedReport, key: SigningKey) -> bytes:
    """Return the signature file; raises KeyMaterialError if the key is closed."""
    return sign_envelope(report.payload_type, report.payload(), key)


def check_report(content: bytes, signature: bytes, registry: Registry) -> CheckedReport:
    """Check a report against its signature file.

    Args:
        content: The report's file.
        signature: The file beside it.
        registry: It pins the keys that the matcher has and had, and those of the parties.

    Raises:
        MalformedError, SignatureError: The signature file is none, or is not by a key of the matcher.
        AuditError: The report is not the one that was signed, or a signature of the log's head is wrong.
    """
    # 1. The matcher signed it, as a report and not as anything else.
    owner = registry.keys_of(MATCHER)
    keys = {key.fingerprint: key for key in owner}
    opened = open_envelope(signature, {PublishedReport.payload_type}, keys)
    report = PublishedReport.from_payload(opened.payload)
    # 2. It is about this file.
    digest = hashlib.sha256(content).hexdigest()
    if (digest, len(content)) != (report.digest, report.size):
        raise AuditError("report_differs_from_signature", expected=report.digest, got=digest)
    # 3. The head is one of the matcher's log, and who is said to have cosigned it did.
    checkpoint, note = open_checkpoint(report.checkpoint.encode(), registry.origin_of(MATCHER), *owner)
    cosigned = {party: at for party, _, at in registry.cosigners(note, MATCHER)}
    return CheckedReport(report, opened.signer, opened.signer != owner[-1], checkpoint, cosigned)
