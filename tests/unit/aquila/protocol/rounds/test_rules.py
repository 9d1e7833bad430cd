"""Bindings, contexts and the table of rules; what each rule refuses is shown by the scenarios in tests/scenarios."""

import contextlib
import hashlib
import re
from itertools import groupby
from pathlib import Path

import pytest

from aquila.errors import AquilaError, MalformedError
from aquila.protocol.encoding import framed
from aquila.protocol.messages import ANNOUNCEMENTS, KINDS, PARTY_STATEMENTS, Consent, Manifest, StatementKind, kind_of
from aquila.protocol.rounds import rules
from aquila.records.rules import InputClass
from tests.support.samples import DIGEST, SAMPLES, read
from tests.support.staged_round import StagedRound

CONSENTS = [("AL", "a" * 64), ("SI", "b" * 64)]


def test_binding() -> None:
    """The binding is the digest of manifest and consents, as PROTOCOL.md 3.3.4 writes it."""
    parts = [framed("consent", party.encode(), bytes.fromhex(value)) for party, value in CONSENTS]
    expected = hashlib.sha256(framed("aquila/2 binding", bytes.fromhex(DIGEST), *parts)).hexdigest()
    assert rules.binding_of(DIGEST, CONSENTS) == expected


def test_binding_depends_on_everything() -> None:
    bindings = [
        rules.binding_of(DIGEST, CONSENTS),
        rules.binding_of("0" * 64, CONSENTS),
        rules.binding_of(DIGEST, CONSENTS[:1]),
        rules.binding_of(DIGEST, CONSENTS[::-1]),
        rules.binding_of(DIGEST, [("AL", "a" * 64), ("RS", "b" * 64)]),
        rules.binding_of(DIGEST, [("AL", "b" * 64), ("SI", "a" * 64)]),
    ]
    assert len(set(bindings)) == len(bindings)


def test_keys_of_a_consent() -> None:
    """A proof of knowledge is bound to every key: shares by class, then the sealing key (PROTOCOL.md 3.3.2)."""
    consent = read(Consent)
    assert isinstance(consent, Consent)
    sample = SAMPLES[Consent]
    keys = rules.consent_keys(consent)
    assert keys == ["e" * 64, "f" * 64, "a" * 64, sample["sealing_key"]]
    contexts = {
        rules.knowledge_context(DIGEST, party, kind, chosen)
        for party in ("AL", "SI")
        for kind in InputClass
        for chosen in (keys, keys[::-1], keys[:3])
    }
    assert len(contexts) == 18


def test_a_round_takes_nothing_else() -> None:
    with pytest.raises(MalformedError, match="takes no Manifest"):
        rules.apply_statement(read(Manifest), None, "", None)


def test_every_message_of_a_round_has_a_rule_and_a_kind() -> None:
    assert set(rules.RULES) == {*PARTY_STATEMENTS, *ANNOUNCEMENTS} - {Manifest}
    assert len(set(rules.RULES.values())) == len(rules.RULES)
    assert list(KINDS.values()) == list(StatementKind)
    assert set(KINDS) == {*PARTY_STATEMENTS, *ANNOUNCEMENTS}
    assert {kind.value for kind in KINDS.values()} == {message.__name__.lower() for message in KINDS}


def test_the_example_is_what_a_round_does(stage: StagedRound) -> None:
    played = []
    stage.reported()
    stage.verify(*stage.send_notes(*stage.nodes.values()))
    stage.close()
    record = stage.new_record(sees_everything=True)
    for envelope in stage.envelopes:
        accepted = record.accept(envelope)
        played.append((kind_of(accepted.message), accepted.signer, record.phase))
    found = []
    for kind, group in groupby(played, key=lambda one: one[0]):
        steps = list(group)
        found.append((kind.value, ", ".join(sorted({signer for _, signer, _ in steps})), steps[-1][2].value))
    assert found == [line[:3] for line in _example()]


def test_the_example_names_what_each_message_needs(stage: StagedRound) -> None:
    stage.reported()
    stage.exchange_notes()
    stage.close()
    kinds = [kind_of(stage.round.accept(envelope).message).value for envelope in stage.envelopes]
    needs = {kind: set(named.split(" or ")) for kind, _, _, named in _example() if named != "nothing"}
    assert set(needs) == set(kinds) - {"consent"}
    for kind, needed in needs.items():
        first = kinds.index(kind)
        record = stage.new_record(sees_everything=True)
        for number, envelope in enumerate(stage.envelopes[:first]):
            if kinds[number] not in needed:
                with contextlib.suppress(AquilaError):  # what rests on the missing ones does not count either
                    record.accept(envelope)
        with pytest.raises(AquilaError):
            record.accept(stage.envelopes[first])


def _example() -> list[tuple[str, ...]]:
    """Return the lines of the example in the rules' docstring: message, signers, phase, needs."""
    lines = re.findall(r"^ {4}(\w+) +(AL, RS, SI|matcher) +(\w+) +(.+)$", rules.__doc__ or "", re.MULTILINE)
    assert len(lines) == (rules.__doc__ or "").split("not without\n")[1].rstrip().count("\n") + 1
    return lines


def test_every_numbered_check_is_a_paragraph() -> None:
    root = Path(__file__).parents[5]
    code = Path(rules.__file__).read_text(encoding="utf-8")
    text = (root / "schemas" / "PROTOCOL.md").read_text(encoding="utf-8")
    cited = set(re.findall(r"\b3\.\d+\.\d+\b", code))
    assert len(cited) > 15
    assert not {number for number in cited if not re.search(rf"^{re.escape(number)}\b", text, re.MULTILINE)}
