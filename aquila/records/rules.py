"""Match rules as data: tables that an analyst can read, and the digest that a round's manifest carries.

A rule names one or more *parts*; an input of the rule is one value of each part together. What a part reads is code
(`rule_parts.py`), which parts make a rule and what their agreement weighs is the table's. Built-in tables are the TOML
files beside this module in `tables/`.

What decides a level is integers: weights in hundredths of a bit, shares in millionths. A file states them as decimals,
which are read exactly.
"""

import hashlib
import tomllib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow
from enum import StrEnum
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import Any, Final, NamedTuple

import rfc8785

from aquila.errors import InputError
from aquila.records.rule_parts import NAMES, PART_KINDS, attribute_of, is_part, stands_alone

BUILT_IN = ("default", "exact")
MOST_RULES = 63  # a mask of rules is one 64-bit integer
CENTIBITS: Final = 100
"""Of a bit."""

_FEW_VALUES: Final = frozenset({NAMES, "place_of_birth", "nationality", "sex"})
_YEARS: Final = frozenset({"birth:year", "birth:bare-year", "birth:new-year"})

MILLION: Final = 1_000_000
DEFAULT_DUPLICATES = MILLION // 100
_MOST_CENTIBITS = 60 * CENTIBITS
_MOST_RULES_OF_A_SET = 4
MOST_SETS = 32
_MOST_UNITS = 1_000 * MILLION
_SHARES = ("expected_share", "expected_duplicates")
_UNITS = {"bits": CENTIBITS, "chance": CENTIBITS, "usual": MILLION}
_EXACT = Context(prec=18, traps=[Inexact, InvalidOperation, Overflow])


class InputClass(StrEnum):
    """The cost of guessing a rule's inputs, from the table; each class has its own share and caps.

    A rule is partial where ten million guesses cover half of a population: parts of a date, and a whole date beside
    one name, two first letters or a nationality. Identifiers, and two names with a whole date, take more. A rule is
    coarse where it reads no number, and of a date no more than its year: some thousands or ten
    thousands of guesses are enough.
    """

    FULL = "full"
    PARTIAL = "partial"
    COARSE = "coarse"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of rules: an attribute, compared in one form.

    Attributes:
        name: The table's name of the part.
        reads: `kind:form`, as `rule_parts.py` reads it.
        family: The evidence family; the strongest part of a family that agrees speaks for it.
        centibits: What agreement at exactly this level weighs: log2 of its likelihood ratio, in hundredths of a bit.
        sentence: The agreement in plain words.
        usual: Of the pairs of records of one person, the share that agrees at exactly this level; None where it is
            not learned anew in each round.
        fixed: Whether a round leaves the weight alone though the others of the family move: where this agreement is
            usual, chance makes it too.
        known: Whether it says only that both records know the attribute: no evidence, but where it could be said and is
            not, the silence of the family is none either.
        chance: How often two persons' records agree at exactly this level, as log2; a round counts it where it can. Of
            a further family of names: how often those do of which a pair of names agrees.
        differs: In plain words, what then differs or is not known, since no stronger part agrees; empty where nothing.
    """

    name: str
    reads: str
    family: str
    centibits: int
    sentence: str
    usual: float | None = None
    fixed: bool = False
    known: bool = False
    chance: float | None = None
    differs: str = ""

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def chance_share(self) -> float:
        """`chance` as a share; 1 where the table states none."""
        return float(2.0 ** (self.chance or 0.0))


@dataclass(frozen=True, slots=True)
class Counted:
    """The families for which a round counts chance, for each two lists (schemas/records/match-rules.md, Learning).

    Attributes:
        names: The families whose parts together are one kind of agreement of names.
        context: The family that agrees by chance as often as the names make it.
        date: The family that agrees by chance whatever the names are.
        unagreed: The share of one person's pairs of records that agree in no part of the date.
    """

    names: tuple[str, ...]
    context: str
    date: str
    unagreed: float


@dataclass(frozen=True, slots=True)
class Rule:
    """One match rule.

    Attributes:
        number: 1 to 63; bit `number - 1` of a mask of rules.
        name: The short name that hits show.
        sentence: The rule in plain words.
        most_records: A value that more of a party's own records share is not sent under this rule, where the rule
            says so itself: a rule for rare names tells less, and weighs more, than one for all names.
        also: Parts that agree wherever the rule is met, though they are not compared apart: a rare pair is a pair.
    """

    number: int
    name: str
    input_class: InputClass
    parts: tuple[Part, ...]
    sentence: str
    most_records: int | None = None
    also: tuple[Part, ...] = ()

    def __hash__(self) -> int:
        return hash(self.number)

    @property
    def shown(self) -> tuple[Part, ...]:
        """All parts that are evidence where the rule is met."""
        return tuple(part for part in self.parts + self.also if not part.known)

    @property
    def family(self) -> str:
        """The evidence families of the rule, such as `names+date`."""
        return "+".join(part.family for part in self.shown)

    @property
    def reads_names_alone(self) -> bool:
        """Return whether all parts of the rule are names."""
        return all(attribute_of(part.reads) == NAMES for part in self.parts)

    @property
    def takes_few_guesses(self) -> bool:
        """Return whether the rule reads no number, and of a date no more than its year."""
        return all(attribute_of(part.reads) in _FEW_VALUES or part.reads in _YEARS for part in self.parts)

    @property
    def centibits(self) -> int:
        """Return the weight of the rule alone."""
        return sum(part.centibits for part in self.shown)


class ShadowSets(NamedTuple):
    """Sets of rules of which nearly every hit meets one, for lists of some length (PROTOCOL.md 3.7.12).

    Attributes:
        longest: The most records of the longer list.
        sets: The rules of each set by number, ascending; the place of a set is its number.
    """

    longest: int
    sets: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class RuleTable:
    """A versioned table of match rules; it has a `__dict__` for what is computed from it once.

    Attributes:
        common_per_million: Of the smaller list, the share of persons that the other list is expected to hold too.
        families: Each evidence family with its name in plain words.
        digest: SHA-256 in hex over the content as RFC 8785 JSON, weights in hundredths of a bit and shares in
            millionths.
        duplicates_per_million: The share of a list's persons that a second record of the same list is expected to tell
            of.
        silent: What it weighs, in hundredths of a bit, that no part of a family agrees; nothing for a family that is
            not named.
        counted: What a round counts about chance; None where the table leaves all weights as they are.
        shadow: The sets of rules of shadow columns, by the length of lists, ascending.
    """

    name: str
    version: int
    rules: tuple[Rule, ...]
    digest: str
    common_per_million: int
    families: tuple[tuple[str, str], ...]
    duplicates_per_million: int = DEFAULT_DUPLICATES
    silent: tuple[tuple[str, int], ...] = ()
    counted: Counted | None = None
    shadow: tuple[ShadowSets, ...] = ()

    def shadow_sets(self, records: int) -> tuple[tuple[int, ...], ...]:
        """Return the sets of rules of the shadow columns of two lists by the records of the longer one."""
        fitting = (one.sets for one in self.shadow if records <= one.longest)
        return next(fitting, self.shadow[-1].sets)

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The parts of all rules that are evidence, each once, in the order of the rules."""
        return tuple(dict.fromkeys(part for rule in self.rules for part in rule.shown))

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
        raise InputError("rule_table_unknown", known=known) from None
    return parse_rules(content)


def parse_rules(content: str) -> RuleTable:
    """Read a table from TOML text.

    Raises:
        InputError: A table that cannot be used.
    """
    return rules_of(content_of(content))


def rules_of(content: dict[str, Any]) -> RuleTable:
    """Make a table of its content in integers, as `schemas/records/tables/` has it.

    Raises:
        InputError: A table that cannot be used.
    """
    try:
        return _table(content)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InputError("rule_table_fields_wrong") from None


def content_of(text: str) -> dict[str, Any]:
    """Return what a table in TOML says, in integers: the digest is that of its RFC 8785 JSON.

    Raises:
        InputError: A text that is no table of rules.
    """
    try:
        return _in_units(tomllib.loads(text, parse_float=Decimal))
    except tomllib.TOMLDecodeError as error:  # it names line and column
        raise InputError("rule_table_not_toml", fault=error) from None
    except (KeyError, TypeError, ValueError, AttributeError, DecimalException):
        raise InputError("rule_table_fields_wrong") from None


@cache
def _built_in(name: str) -> RuleTable:
    return parse_rules(resources.files("aquila.records").joinpath("tables", f"{name}.toml").read_text("utf-8"))


def _in_units(table: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a table with weights in hundredths of a bit and shares in millionths."""
    shares = {name: _units(name, table[name], MILLION) for name in _SHARES if name in table}
    parts = {
        name: part | {field: _units(name, part[field], per) for field, per in _UNITS.items() if field in part}
        for name, part in table["parts"].items()
    }
    silent = {family: _units(family, bits, CENTIBITS) for family, bits in table.get("silent", {}).items()}
    found = table | shares | {"parts": parts}
    if silent:
        found["silent"] = silent
    if "counted" in table:
        unagreed = _units("unagreed", table["counted"]["unagreed"], MILLION)
        found["counted"] = table["counted"] | {"unagreed": unagreed}
    return found


def _units(where: str, value: object, per: int) -> int:
    """Return a number as a multiple of 1/`per`, exactly.

    Raises:
        InputError: It is no number, too large, or has further decimals.
    """
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise TypeError(where)
    with suppress(DecimalException):
        found = _EXACT.to_integral_exact(_EXACT.multiply(Decimal(value), per))
        if abs(found) <= _MOST_UNITS:
            return int(found)
    raise InputError("rule_table_number_inexact", where=where, decimals=len(str(per)) - 1)


def _table(table: dict[str, Any]) -> RuleTable:
    """Make a table of its content in units, checked."""
    families = {str(name): str(words) for name, words in table["families"].items()}
    parts = {name: _part(name, content, families) for name, content in table["parts"].items()}
    rules = tuple(sorted((_rule(content, parts) for content in table["rules"]), key=lambda rule: rule.number))
    if (
        not rules
        or len({rule.number for rule in rules}) < len(rules)
        or len({rule.name for rule in rules}) < len(rules)
    ):
        raise InputError("rule_table_rules_wrong")
    share, duplicates = table["expected_share"], table.get("expected_duplicates", DEFAULT_DUPLICATES)
    if min(share, duplicates) < 1 or max(share, duplicates) > MILLION:
        raise InputError("expected_share_out_of_range")
    _check_usual(parts.values())
    counted = _counted(table["counted"], families, parts.values()) if "counted" in table else None
    silent = tuple(table.get("silent", {}).items())
    if not all(family in families and -_MOST_CENTIBITS <= centibits <= 0 for family, centibits in silent):
        raise InputError("missing_evidence_weight_wrong")
    return RuleTable(
        str(table["name"]),
        int(table["version"]),
        rules,
        hashlib.sha256(rfc8785.dumps(table)).hexdigest(),
        share,
        tuple(families.items()),
        duplicates,
        silent,
        counted,
        _shadow(table.get("shadow", ()), rules),
    )


def mask_of(numbers: Iterable[int]) -> int:
    """Return the mask of some rules: bit n - 1 means rule n."""
    mask = 0
    for number in numbers:
        mask |= 1 << (number - 1)
    return mask


def _shadow(classes: Iterable[dict[str, Any]], rules: tuple[Rule, ...]) -> tuple[ShadowSets, ...]:
    """Read the sets of shadow columns; of a table without any, each rule of the class full is one."""
    known = {rule.number for rule in rules}
    read = []
    for one in classes:
        sets = tuple(tuple(map(int, numbers)) for numbers in one["sets"])
        read.append(ShadowSets(int(one["longest"]), sets))
        wrong = [
            numbers for numbers in sets if not 1 <= len(numbers) <= _MOST_RULES_OF_A_SET or not {*numbers} <= known
        ]
        if wrong or len(sets) > MOST_SETS or any(list(numbers) != sorted({*numbers}) for numbers in sets):
            raise InputError("shadow_sets_wrong")
    lengths = [one.longest for one in read]
    if lengths != sorted(set(lengths)):
        raise InputError("shadow_sets_wrong")
    alone = tuple((rule.number,) for rule in rules if rule.input_class is InputClass.FULL)
    found = tuple(read) or (ShadowSets(1, alone),)
    if not all(one.sets for one in found):  # no hit could be checked, and all would look as if it were
        raise InputError("shadow_sets_wrong")
    return found


def _check_usual(parts: Iterable[Part]) -> None:
    """Refuse a family of which some parts state how usual they are and others do not."""
    usual: dict[str, list[float | None]] = {}
    for part in parts:
        if not part.known:
            usual.setdefault(part.family, []).append(part.usual)
    for family, found in usual.items():
        known = [share for share in found if share is not None]
        if known and (len(known) < len(found) or not 0 < min(known) <= max(known) <= 1):
            raise InputError("family_usualness_incomplete", family=family)


def _counted(content: dict[str, Any], families: dict[str, str], parts: Iterable[Part]) -> Counted:
    """Read the families for which a round counts chance: their parts state shares, which leave some for none."""
    counted = Counted(
        tuple(map(str, content["names"])), str(content["context"]), str(content["date"]), content["unagreed"] / MILLION
    )
    named = (*counted.names, counted.context, counted.date)
    shared = {part.family for part in parts if not part.known and part.usual is None}
    unlikely = {part.family for part in parts if not part.known and part.chance is None}
    if not set(named) <= set(families) or len(set(named)) < len(named) or not 0 < counted.unagreed < 1:
        raise InputError("counted_families_wrong")
    if {*named} & (shared | unlikely):
        raise InputError("counted_families_wrong")
    for family in counted.names[1:]:
        of_family = [part for part in parts if part.family == family]
        for shares in ([part.usual or 0.0 for part in of_family], [part.chance_share for part in of_family]):
            if not sum(shares) < 1:
                raise InputError("counted_families_wrong")
    return counted


def _part(name: str, content: dict[str, Any], families: dict[str, str]) -> Part:
    """Make a part, checked."""
    reads = str(content["reads"])
    usual, chance = content.get("usual"), content.get("chance")
    part = Part(
        name,
        reads,
        str(content["family"]),
        content["bits"],
        str(content["sentence"]),
        None if usual is None else usual / MILLION,
        bool(content.get("fixed", False)),
        bool(content.get("known", False)),
        None if chance is None else chance / CENTIBITS,
        str(content.get("differs", "")),
    )
    if not is_part(reads):
        raise InputError("part_kind_unknown", part=name, known=", ".join(PART_KINDS))
    if part.family not in families or abs(part.centibits) > _MOST_CENTIBITS or ":" in name:
        raise InputError("part_family_or_weight_wrong", part=name)
    if chance is not None and not -_MOST_CENTIBITS <= chance <= 0:
        raise InputError("part_family_or_weight_wrong", part=name)
    if part.known and (part.centibits or part.usual is not None):
        raise InputError("part_required_only_has_weight", part=name)
    return part


def _rule(content: dict[str, Any], parts: dict[str, Part]) -> Rule:
    """Make a rule, checked: known parts, no family twice, and never one weak attribute alone."""
    number, name = int(content["number"]), str(content["name"])
    if not 1 <= number <= MOST_RULES or ";" in name or not name:
        raise InputError("rule_number_or_name_wrong", rule=number, most_rules=MOST_RULES)
    named, implied = tuple(content["parts"]), tuple(content.get("also", ()))
    if not named or not {*named, *implied} <= set(parts):
        raise InputError("rule_part_unknown", rule=number)
    chosen, also = tuple(parts[part] for part in named), tuple(parts[part] for part in implied)
    if len({part.family for part in chosen + also}) < len(chosen + also):
        raise InputError("rule_family_named_twice", rule=number)
    if len(chosen) == 1 and not stands_alone(chosen[0].reads):
        raise InputError("rule_too_weak", rule=number)
    if sum(part.known for part in chosen) > min(1, len(chosen) - 1) or any(part.known for part in also):
        raise InputError("rule_requirement_wrong", rule=number)
    most = content.get("most_records")
    if most is not None and int(most) < 1:
        raise InputError("rule_admits_no_record", rule=number)
    rule = Rule(number, name, InputClass(content["input_class"]), chosen, str(content["sentence"]), most, also)
    if rule.takes_few_guesses != (rule.input_class is InputClass.COARSE):
        raise InputError("rule_class_wrong", rule=number)
    return rule


DEFAULT_LIMIT = 8


def limits_of(table: RuleTable, limit: int = DEFAULT_LIMIT) -> dict[int, int]:
    """Return by rule number in how many records of a list a value may occur to be sent.

    Args:
        table: The match rules; a rule for rare values sets a lower limit itself.
        limit: The round's frequency limit.
    """
    return {rule.number: min(limit, rule.most_records or limit) for rule in table.rules}
