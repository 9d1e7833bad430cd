"""The normalizer's version and digest."""

import os
import subprocess
import sys

from aquila.records.conformance import conformance_answers, normalizer_digest, normalizer_reference
from aquila.records.normalize.names import CYRILLIC, table

_PROGRAM = """
from aquila.records.inputs import record_inputs
from aquila.records.conformance import normalizer_digest
from aquila.records.person import PartialDate, Record
from aquila.records.rules import load_rules
import hashlib
record = Record("1", ("Ђорђе",), ("Ђорђевић",), aliases=("Abd al-Rahman Omar",), date_of_birth=PartialDate(1980, 2))
table = load_rules("default")
inputs = repr([(rule, value) for rule, value in record_inputs(record, table)])
print(normalizer_digest(), table.digest, hashlib.sha256(inputs.encode()).hexdigest())
"""


def test_the_conformance_set_is_answered_wholly() -> None:
    """Every line has an answer: all that a part of a rule may read of a record, but the sex, which is a code."""
    answers = list(conformance_answers())
    assert {kind for kind, _text, _answer in answers} == {
        *("name", "pairs", "birth forms", "place", "nationality"),
        *("document", "national", "phone", "email"),
    }
    assert len(answers) > 900


def test_answers_are_what_parts_of_rules_give() -> None:
    """A change of pairs, of the forms of a date, or of what a country is called cannot pass unseen."""
    answers = {(kind, text): answer for kind, text, answer in conformance_answers()}
    assert answers["pairs", "Ana Mara|Ilić||"].split("|")[1] == "ana+ilic ilic+mara"
    assert "decade=02/13~198|" in answers["birth forms", "1980-02-13"]
    assert answers["place", "Нови Пазар"] == answers["place", "novi pazar"]
    assert answers["nationality", "RS|SRB|BIH"] == "SRB SRB BIH"
    assert answers["nationality", "-"] == "-"


def test_the_digest_is_pinned_to_the_version() -> None:
    name, digest = normalizer_reference()
    assert (name, digest[:16]) == ("normalizer 5", "3ee172fe07a8b569")


def test_the_set_uses_every_spelling_and_letter() -> None:
    texts = " ".join(text for kind, text, _answer in conformance_answers() if kind == "name")
    rows = [row for name in ("beginnings", "endings", "spellings") for row in table("folding")[name]]
    rows += [row for name in (*CYRILLIC, "greek", "arabic") for row in table(name)["letters"]]
    assert [row for row in rows if row not in texts] == []


def test_answers_do_not_depend_on_the_process() -> None:
    """Two processes with different hash seeds give the same digest, table and inputs."""
    outputs = {
        subprocess.run(
            [sys.executable, "-c", _PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }
    assert len(outputs) == 1
    assert outputs.pop().split()[0].decode() == normalizer_digest()
