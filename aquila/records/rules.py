"""Match rules as data: tables that an analyst can read, and the digest that a round's manifest carries.

A rule names one or more *parts*; an input of the rule is one value of each part together. What a part reads is code
(`parts.py`), which parts make a rule and what their agreement weighs is the table's. Built-in tables are the TOML
files beside this module in `tables/`.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import Any

from aquila.errors import InputError
from aquila.records.parts import PART_KINDS, is_part, stands_alone

BUILT_IN = ("default", "exact")
MOST_RULES = 63  # a mask of rules is one 64-bit integer
_MOST_BITS = 60.0


class InputClass(StrEnum):
    """How cheaply a rule's inputs can be guessed; each class has its own share and caps (PROTOCOL.md, classes)."""

    FULL = "full"  # identifiers and full dates
    PARTIAL = "partial"  # the rest


@dataclass(frozen=True, slots=True)
class Part:
    """A part of rules: an attribute, compared in one form.

    Attributes:
        name: The table's name of the part.
        reads: `kind:form`, as `parts.py` reads it.
        family: The evidence family; the strongest part of a family that agrees speaks for it.
        bits: What agreement at exactly this level weighs, as log2 of its likelihood ratio.
        sentence: The agreement in plain words.
    """

    name: str
    reads: str
    family: str
    bits: float
    sentence: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One match rule.

    Attributes:
        number: 1 to 63; bit `number - 1` of a mask of rules.
        name: The short name that hits show.
        sentence: The rule in plain words.
        most_records: A value that more of a party's own records share is not sent under this rule, where the rule
            says so itself: a rule for rare names tells less, and weighs more, than one for all names.
    """

    number: int
    name: str
    input_class: InputClass
    parts: tuple[Part, ...]
    sentence: str
    most_records: int | None = None

    @property
    def family(self) -> str:
        """The evidence families of the rule, such as `names+date`."""
        return "+".join(part.family for part in self.parts)

    @property
    def weight(self) -> float:
        """What the rule weighs alone, in bits."""
        return sum(part.bits for part in self.parts)


@dataclass(frozen=True)
class RuleTable:
    """A versioned table of match rules; it has a `__dict__` for what is computed from it once.

    Attributes:
        expected_share: Of the smaller list, the share of persons that the other list is expected to hold too.
        families: Each evidence family with its name in plain words.
        digest: SHA-256 in hex over the canonical content.
    """

    name: str
    version: int
    rules: tuple[Rule, ...]
    digest: str
    expected_share: float
    families: tuple[tuple[str, str], ...]

    @cached_property
    def by_number(self) -> dict[int, Rule]:
        """The rules by their number."""
        return {rule.number: rule for rule in self.rules}

    def __hash__(self) -> int:
        return hash(self.digest)


def load_rules(name_or_path: str) -> RuleTable:
    """Load a built-in table by name, or a table of one's own by path.

    Raises:
        InputError: No such table, or one that cannot be used; the field `rule` says where.
    """
    if name_or_path in BUILT_IN:
        return _built_in(name_or_path)
    try:
        content = Path(name_or_path).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        known = ", ".join(BUILT_IN)
        raise InputError("There is no such rule table.", hint=f"Name one of {known}, or a TOML file.") from None
    return parse_rules(content)


def parse_rules(content: str) -> RuleTable:
    """Read a table from TOML text.

    Raises:
        InputError: A table that cannot be used.
    """
    try:
        table = tomllib.loads(content)
    except tomllib.TOMLDecodeError:
        raise InputError("The rule table is no TOML.", hint="Compare it with a built-in table.") from None
    try:
        return _table(table)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InputError(
            "The rule table lacks a field, or has one of a wrong type.", hint="Compare it with a built-in table."
        ) from None


@cache
def _built_in(name: str) -> RuleTable:
    return parse_rules(resources.files("aquila.records").joinpath("tables", f"{name}.toml").read_text("utf-8"))


def _table(table: dict[str, Any]) -> RuleTable:
    """Make a table of its TOML content, checked."""
    families = {str(name): str(words) for name, words in table["families"].items()}
    parts = {name: _part(name, content, families) for name, content in table["parts"].items()}
    rules = tuple(sorted((_rule(content, parts) for content in table["rules"]), key=lambda rule: rule.number))
    if (
        not rules
        or len({rule.number for rule in rules}) < len(rules)
        or len({rule.name for rule in rules}) < len(rules)
    ):
        raise InputError("A rule table has no rule, or two of one number or name.", hint="Number each rule once.")
    share = float(table["expected_share"])
    if not 0 < share <= 1:
        raise InputError("The expected share of a rule table is not above 0 and at most 1.")
    digest = hashlib.sha256(json.dumps(table, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode())
    return RuleTable(
        str(table["name"]), int(table["version"]), rules, digest.hexdigest(), share, tuple(families.items())
    )


def _part(name: str, content: dict[str, Any], families: dict[str, str]) -> Part:
    """Make a part, checked."""
    reads = str(content["reads"])
    part = Part(name, reads, str(content["family"]), float(content["bits"]), str(content["sentence"]))
    if not is_part(reads):
        raise InputError("A part reads an unknown kind.", hint="Known kinds: " + ", ".join(PART_KINDS), part=name)
    if part.family not in families or not abs(part.bits) <= _MOST_BITS:
        raise InputError("A part has an unknown family, or a weight beyond reason.", part=name)
    return part


def _rule(content: dict[str, Any], parts: dict[str, Part]) -> Rule:
    """Make a rule, checked: known parts, no family twice, and never one weak attribute alone."""
    number, name = int(content["number"]), str(content["name"])
    if not 1 <= number <= MOST_RULES or ";" in name or not name:
        raise InputError(f"A rule has a number outside 1 to {MOST_RULES}, or a name with `;` or none.", rule=number)
    named = tuple(content["parts"])
    if not named or not set(named) <= set(parts):
        raise InputError("A rule names a part that the table does not weigh.", rule=number)
    chosen = tuple(parts[part] for part in named)
    if len({part.family for part in chosen}) < len(chosen):
        raise InputError("A rule names two parts of one family.", rule=number)
    if len(chosen) == 1 and not stands_alone(chosen[0].reads):
        raise InputError("A rule is made of one weak attribute alone.", hint="Add a second part.", rule=number)
    most = content.get("most_records")
    if most is not None and int(most) < 1:
        raise InputError("A rule lets no record through.", hint="Set most_records to 1 or more.", rule=number)
    return Rule(number, name, InputClass(content["input_class"]), chosen, str(content["sentence"]), most)
