"""The terms of a rehearsed round besides its parties: the manifest without deadlines and caps."""

from dataclasses import dataclass

from aquila.matching.certainty import Level
from aquila.protocol import messages
from aquila.protocol.registry import Registry
from aquila.records.conformance import normalizer_reference
from aquila.records.rules import RuleTable

DEFAULT_PADDING = messages.Padding(inputs_per_record=(8, 16, 24, 32), records_multiple=100)
NO_PADDING = messages.Padding(inputs_per_record=(), records_multiple=1)
CHUNK_ELEMENTS = 16_384
_LARGEST_CAP = 2**40

REHEARSED = messages.Justification(
    legal_basis="rehearsal", purpose="rehearsal", case_reference="rehearsal", category="rehearsal", officer="rehearsal"
)


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of a round's manifest besides its parties."""

    table: RuleTable
    padding: messages.Padding
    minimum: Level
    frequency_limit: int
    chunk_elements: int


def make_manifest(registry: Registry, terms: Terms, round_id: str, now: int) -> messages.Manifest:
    """Return the manifest of a round among all parties of a registry, everyone with everyone, without caps."""
    codes = sorted(registry.parties)
    version, conformance = normalizer_reference()
    return messages.Manifest(
        protocol="aquila/2",
        round_id=round_id,
        mode=messages.Mode.LISTS,
        title="rehearsal",
        area="rehearsal",
        legal_basis="rehearsal",
        purpose="rehearsal",
        category="rehearsal",
        participants=tuple(
            messages.Participant(party=code, identity_fingerprint=registry.parties[code].key.fingerprint)
            for code in codes
        ),
        pairs=tuple((a, b) for a in codes for b in codes if a < b),
        rules=messages.TableReference(name=terms.table.name, digest=terms.table.digest),
        normalizer=messages.TableReference(name=version, digest=conformance),
        caps=tuple(
            messages.PartyCap(party=code, elements=messages.ClassCounts.by(lambda _: _LARGEST_CAP)) for code in codes
        ),
        window=messages.Window(consent_by=now, submit_by=now, evaluate_by=now, closes_at=now),
        chunk_elements=terms.chunk_elements,
        padding=terms.padding,
        minimum_certainty=terms.minimum,
        frequency_limit=terms.frequency_limit,
        retention_days=1,
    )
