"""Bindings and contexts; what each step refuses is told by the stories in tests/scenarios."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from aquila.errors import MalformedError
from aquila.protocol.encoding import framed
from aquila.protocol.messages import Consent
from aquila.protocol.rounds import rules
from aquila.records.rules import InputClass
from tests.support.samples import DIGEST, SAMPLES, read

CONSENTS = [("AL", "a" * 64), ("SI", "b" * 64)]


def test_first_binding() -> None:
    """The binding is the digest of manifest and consents, as PROTOCOL.md 3.3.4 writes it."""
    parts = [framed("consent", party.encode(), bytes.fromhex(value)) for party, value in CONSENTS]
    expected = hashlib.sha256(framed("aquila/1 binding", bytes.fromhex(DIGEST), *parts)).hexdigest()
    assert rules.first_binding(DIGEST, CONSENTS) == expected


def test_first_binding_depends_on_everything() -> None:
    """Another manifest, party, digest or order, or one consent less, is another binding."""
    bindings = [
        rules.first_binding(DIGEST, CONSENTS),
        rules.first_binding("0" * 64, CONSENTS),
        rules.first_binding(DIGEST, CONSENTS[:1]),
        rules.first_binding(DIGEST, CONSENTS[::-1]),
        rules.first_binding(DIGEST, [("AL", "a" * 64), ("RS", "b" * 64)]),
        rules.first_binding(DIGEST, [("AL", "b" * 64), ("SI", "a" * 64)]),
    ]
    assert len(set(bindings)) == len(bindings)


def test_amended_binding() -> None:
    """An amended binding names the one before it and the absent (PROTOCOL.md 3.8.3)."""
    expected = hashlib.sha256(framed("aquila/1 amended binding", bytes.fromhex(DIGEST), b"AL", b"SI")).hexdigest()
    assert rules.amended_binding(DIGEST, ("AL", "SI")) == expected
    assert rules.amended_binding(DIGEST, ("AL",)) != expected


def test_keys_of_a_consent() -> None:
    """A proof of knowledge is bound to every key: shares by class, exchange key, sealing key (PROTOCOL.md 3.3.2)."""
    consent = read(Consent)
    assert isinstance(consent, Consent)
    sample = SAMPLES[Consent]
    keys = rules.consent_keys(consent)
    assert keys == ["e" * 64, "f" * 64, sample["exchange_key"], sample["sealing_key"]]
    contexts = {
        rules.knowledge_context(DIGEST, party, kind, chosen)
        for party in ("AL", "SI")
        for kind in InputClass
        for chosen in (keys, keys[::-1], keys[:3])
    }
    assert len(contexts) == 12


def test_a_round_takes_nothing_else() -> None:
    """What is no message of a round has no step."""
    with pytest.raises(MalformedError, match="takes no str"):
        rules.apply_statement("something", None, "", None)


def test_every_numbered_check_is_a_paragraph() -> None:
    """A number that a check carries is a paragraph of PROTOCOL.md."""
    root = Path(__file__).parents[5]
    code = Path(rules.__file__).read_text(encoding="utf-8")
    text = (root / "schemas" / "PROTOCOL.md").read_text(encoding="utf-8")
    cited = set(re.findall(r"\b3\.\d+\.\d+\b", code))
    assert len(cited) > 15
    assert not {number for number in cited if not re.search(rf"^{re.escape(number)}\b", text, re.MULTILINE)}
