"""What PROTOCOL.md says beside its paragraphs: its contents, and the table of which statement may come when."""

import hashlib
import json
import re
from pathlib import Path
from typing import get_args

import pytest

from aquila.errors import MalformedError
from aquila.protocol.encoding import canonical, digest
from aquila.protocol.messages import Manifest, ReportCheck, Statement
from aquila.protocol.rounds.rules import RULES, TAKEN_BEFORE_THE_ENDING
from aquila.protocol.rounds.statement_limits import NOT_AFTER_THE_LAST
from aquila.records.conformance import normalizer_reference
from aquila.records.normalize.names import NORMALIZER_VERSION
from aquila.records.person import PartialDate
from aquila.records.rule_parts import DATE_FORMS
from aquila.records.rules import BUILT_IN, load_rules
from tests.support.samples import read

FOLDER = Path(__file__).parents[2] / "schemas"
TEXT = (FOLDER / "PROTOCOL.md").read_text("utf-8")


def test_the_contents_name_each_section() -> None:
    headings = re.findall(r"^## (\d+)\. (.+)$", TEXT, re.MULTILINE)
    listed = re.findall(r"\[(\d+) ([^]]+)\]\(#(\d+)-([\w-]+)\)", TEXT)
    assert [(number, title) for number, title, _, _ in listed] == headings
    assert [place for place in listed if place[0] != place[2] or place[3] != place[1].lower().replace(" ", "-")] == []


def test_the_table_of_statements_is_that_of_the_rules() -> None:
    """All messages of a round in their order; which come after a party's last word, and which after the ending."""
    rows = re.findall(r"^\| (\w+) \| (\w+) \| .+ \| ([\w ]*) ?\| (yes|no) \|$", TEXT, re.MULTILINE)
    rules = {rule.__name__: rule for rule in RULES}
    assert [name for name, *_ in rows] == list(rules)
    for name, of, last, ended in rows:
        rule = rules[name]
        assert (of == "matcher") is not issubclass(rule, Statement), name
        if of == "matcher":
            continue
        told = {ReportCheck: "query only"}.get(rule, "no" if rule in NOT_AFTER_THE_LAST else "yes")
        assert last.strip() == told, name
        assert (ended == "no") is (rule in get_args(TAKEN_BEFORE_THE_ENDING)), name


def test_the_table_of_calls_is_that_of_the_matcher() -> None:
    """9.4: each call that a party signs, and no other."""
    rows = re.findall(r"^\| (`(?:GET|PUT|POST|DELETE).+?`) \| .+ \|$", TEXT, re.MULTILINE)
    found: set[tuple[str, str]] = set()
    for row in rows:
        words = re.findall(r"[A-Z]{3,}|/[^`, ]+", row)
        methods = list[str]()
        for word in words:
            if word.startswith("/"):
                found |= {(method, word) for method in methods}
                methods = []
            else:
                methods.append(word)
    document = json.loads((FOLDER / "openapi" / "matcher.json").read_text("utf-8"))
    signed = {"MessageSignature": list[str]()}
    assert found == {
        (method.upper(), path)
        for path, calls in document["paths"].items()
        for method, call in calls.items()
        if signed in call.get("security", ())
    }


def test_another_suite() -> None:
    """4.7: a manifest whose protocol has another word is refused."""
    document = read(Manifest).model_dump(mode="json")
    assert Manifest.from_payload(canonical(document)) == read(Manifest)
    with pytest.raises(MalformedError):
        Manifest.from_payload(canonical(document | {"protocol": "aquila/3"}))


def test_bytes_of_dates() -> None:
    """Each form of a date is written as match-rules.md says."""
    text = (FOLDER / "records" / "match-rules.md").read_text("utf-8")
    table = text.partition("| form of `birth` | bytes |")[2].partition("\n\n")[0]
    told = {
        form: tuple(re.findall(r"`([^`]+)`", cell)) for form, cell in re.findall(r"\| `([\w-]+)` \| (.+) \|", table)
    }
    dates = {"new-year": PartialDate(1978, 1, 1), "bare-year": PartialDate(1978)}
    assert told == {form: tuple(write(dates.get(form, PartialDate(1978, 3, 9)))) for form, write in DATE_FORMS.items()}


def test_the_digest_of_the_normalizer_follows_from_what_is_written() -> None:
    """Tables by their names in the order of the page, then the conformance set with its answers, as files have them."""
    records = FOLDER / "records"
    names = re.findall(
        r"^\| `(\w+)` \|", (records / "normalizer.md").read_text("utf-8").partition("## Names")[0], re.MULTILINE
    )
    parts = [part for name in names for part in (name.encode(), (records / "normalizer" / f"{name}.json").read_bytes())]
    vectors = json.loads((FOLDER / "vectors" / "normalizer.json").read_text("utf-8"))["vectors"]
    for one in vectors:
        if one["operation"] == "answers":
            for text, answer in zip(one["given"]["texts"], one["gives"], strict=True):
                parts += [one["given"]["kind"].encode(), text.encode(), answer.encode()]
    _, digest_ = normalizer_reference()
    assert digest("aquila/2 normalizer", str(NORMALIZER_VERSION).encode(), *parts).hex() == digest_


def test_the_digest_of_a_rule_table_is_that_of_its_file() -> None:
    for name in BUILT_IN:
        content = (FOLDER / "records" / "tables" / f"{name}.json").read_bytes()
        assert hashlib.sha256(content).hexdigest() == load_rules(name).digest
