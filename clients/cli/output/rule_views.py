"""Match rules, the inputs of a record, and what two records share: found in plaintext, and shown as tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from aquila.matching.certainty import Grade, GradingBasis, grade, missing_families, prior, strongest_parts, table_weight
from aquila.matching.weights import strangers_bits
from aquila.records.inputs import record_inputs
from aquila.records.person import PartialDate, Record
from aquila.records.rule_parts import WORD_MARK, part_values, record_names
from aquila.records.rules import CENTIBITS, MILLION, Part, Rule, RuleTable, mask_of
from clients.cli.output.screen import Table, numbered

_SHOWN_VALUES = 6
_SURE = 0.999999  # what six digits can say without saying 1, which no match is


def table_document(table: RuleTable) -> dict[str, object]:
    return {
        "name": table.name,
        "version": table.version,
        "digest": table.digest,
        "expected_share": table.common_per_million / MILLION,
        "families": dict(table.families),
        "rules": [
            {
                "number": rule.number,
                "name": rule.name,
                "input_class": rule.input_class.value,
                "parts": [
                    {"name": part.name, "reads": part.reads, "family": part.family, "bits": part.centibits / CENTIBITS}
                    for part in rule.shown
                ],
                "bits": rule.centibits / CENTIBITS,
                "most_records": rule.most_records,
                "sentence": rule.sentence,
            }
            for rule in table.rules
        ],
    }


def table_views(table: RuleTable) -> list[Table | str]:
    words = dict(table.families)
    rules = [
        (
            str(rule.number),
            rule.name,
            rule.input_class.value,
            " + ".join(words[part.family] for part in rule.shown),
            f"{rule.centibits / CENTIBITS:.1f}",
            rule.sentence,
        )
        for rule in table.rules
    ]
    rows = [
        (part.name, words[part.family], part.reads, f"{part.centibits / CENTIBITS:.1f}", part.sentence)
        for part in table.parts
    ]
    share = table.common_per_million / MILLION
    return [
        Table(
            f"Match rules {table.name}, version {table.version}",
            ("no.", "rule", "class", "evidence", "bits", "in words"),
            rules,
        ),
        Table("Parts of rules", ("part", "evidence", "reads", "bits", "two records agree"), rows),
        f"Of each evidence family the strongest part counts. Expected share of common persons: {share}.",
        f"Digest: {table.digest}",
    ]


def explanation_views(record: Record, rows: Sequence[RuleExplanation]) -> list[Table | str]:
    """Return the inputs of a record: rules with their values, rules without and why, and the sum."""
    giving = [
        (str(row.rule.number), row.rule.name, row.rule.input_class.value, len(row.values), _values(row.values))
        for row in rows
        if row.values
    ]
    silent = [(str(row.rule.number), row.rule.name, "; ".join(row.missing)) for row in rows if not row.values]
    views: list[Table | str] = []
    if giving:
        views.append(Table("Rules that give inputs", ("no.", "rule", "class", "inputs", "values"), giving))
    if silent:
        views.append(Table("Rules that give none", ("no.", "rule", "why"), silent))
    total = numbered(sum(len(row.values) for row in rows), "input")
    return [*views, f"{record.record_id}: {total}, before padding. These are plaintext: keep them to yourself."]


def comparison_views(found: Comparison, sizes: Iterable[int]) -> list[Table | str]:
    """Return the values that two records share: parts, rules, and the certainty by the size of lists."""
    if not found.rules:
        return [f"{found.one.record_id} and {found.other.record_id} share no input: no hit, whatever the lists."]
    words, differing = dict(found.table.families), found.differing()
    agree = [(words[part.family], f"{part.centibits / CENTIBITS:.1f}", part.sentence) for part in found.parts()]
    agree += [(words[family], *_missing_evidence(bits)) for family, bits in found.silent()]
    met = [(str(rule.number), rule.name, _values(found.shared[rule.number])) for rule in found.rules]
    views: list[Table | str] = [
        Table("What agrees", ("evidence", "bits", "in words"), agree),
        *([Table("What differs", ("in words",), [(words,) for words in differing])] if differing else []),
        Table("Rules that met", ("no.", "rule", "shared values"), met),
        _certainty_table(found, sizes),
    ]
    if found.depends_on_rarity:
        rare = [rule.name for rule in found.rules if rule not in found.surely_sent]
        views.append(f"Rare: no more records of either list share the value than the rule allows ({', '.join(rare)}).")
    share = (
        f"Graded with the table's weights, and {found.share} of the persons expected in both lists.\n"
        "A round learns both from what meets, and looks at the other partners of both records."
    )
    return [*views, share]


def _missing_evidence(bits: float | None) -> tuple[str, str]:
    """Return the weight of a family without agreement, and its words."""
    if bits is None:
        return "learned", "both tell of it, and nothing agrees: a round learns how much that speaks against the pair"
    return f"{bits:.1f}", "nothing of it agrees"


def _certainty_table(found: Comparison, sizes: Iterable[int]) -> Table:
    columns = ["records", "prior", "evidence", "two persons by chance", "probability", "certainty"]
    if found.depends_on_rarity:
        columns[4:] = ["if rare", "certainty", "if not rare", "certainty"]
    rows = []
    for size in sizes:
        grades = [found.grade(found.rules, size)]
        if found.depends_on_rarity:
            grades.append(found.grade(found.surely_sent, size))
        cells = [cell for grade in grades for cell in _grade_cells(grade)]
        bits = f"{found.prior(size):.1f}", f"{found.bits():.1f}"
        rows.append((f"{size:,}", *bits, by_chance(found.strangers_bits(size)), *cells))
    return Table("Certainty, by the records of the longer list", columns, rows)


def by_chance(bits: float) -> str:
    """Return in words how many pairs of two persons two lists have that agree by chance, from its log2."""
    pairs = 2**bits
    if pairs >= 1:
        return f"about {float(f'{pairs:.2g}'):,.0f} times a round"
    return f"once in {float(f'{1 / pairs:.2g}'):,.0f} rounds"


def _grade_cells(grade: Grade | None) -> tuple[str, str]:
    if grade is None:
        return "-", "no hit"
    return f"{min(grade.probability, _SURE):.6f}", grade.level.value if grade.level else "no hit"


def _values(values: Sequence[str]) -> str:
    left = len(values) - _SHOWN_VALUES
    shown = ", ".join(values[:_SHOWN_VALUES])
    return f"{shown} and {left} more" if left > 0 else shown


_FIELDS = {
    "document": ("document_numbers", "document number"),
    "national": ("national_numbers", "national number"),
    "phone": ("phones", "telephone number"),
    "email": ("emails", "e-mail address"),
    "place": ("place_of_birth", "place of birth"),
    "nationality": ("nationality", "nationality"),
    "sex": ("sex", "sex"),
}
_PART_MARK = "\x1e"


@dataclass(frozen=True, slots=True, repr=False)
class RuleExplanation:
    """The input of one record under one rule."""

    rule: Rule
    values: tuple[str, ...]
    """Each input in readable form, in the order of its bytes."""
    missing: tuple[str, ...]
    """Why the rule gives none, in sentences; empty where it gives some."""

    def document(self) -> dict[str, object]:
        return {
            "number": self.rule.number,
            "rule": self.rule.name,
            "parts": [part.name for part in self.rule.parts],
            "inputs": list(self.values),
            "missing": list(self.missing),
        }


def explain(rule: Rule, record: Record, table: RuleTable) -> RuleExplanation:
    values = tuple(readable(item.value) for item in record_inputs(record, table) if item.rule == rule.number)
    return RuleExplanation(rule, values, () if values else tuple(_missing(rule.parts, record)))


def readable(value: bytes) -> str:
    """Return an input's canonical bytes as a person reads them: words by blanks, parts by ` | `."""
    return value.decode(errors="replace").replace(_PART_MARK, " | ").replace(WORD_MARK, " ")


def _missing(parts: Iterable[Part], record: Record) -> Iterable[str]:
    names = record_names(record)
    for part in parts:
        if not part_values(record, names, part.reads):
            yield _lack(part.reads, record)


_WORDS = {
    "2": "two different words",
    "3": "three different words",
    "3+": "three different words and more, initials not counted,",
    "4+": "four different words and more",
}


def _lack(reads: str, record: Record) -> str:
    kind, _, form = reads.partition(":")
    if kind in _FIELDS:
        field, words = _FIELDS[kind]
        return f"the {words} has no usable form" if getattr(record, field) else f"there is no {words}"
    if kind == "birth":
        return _lack_of_date(form, record.date_of_birth)
    count = form.partition("/")[2]
    if kind == "sole":
        return "a name of one word is needed, and no name of more"
    if kind == "letters":
        return "a name with five consonants is needed, h, j and y not counted"
    if count:
        return f"a name of {_WORDS[count]} is needed"
    return "a given and a family name are needed, or two words of a full name"


def _lack_of_date(form: str, born: PartialDate | None) -> str:
    if born is None:
        return "there is no date of birth"
    if form == "bare-year":
        return "more than the year of birth is known"
    if form == "new-year":
        return "the date of birth is not 1 January"
    if born.day:
        return "the date of birth is 1 January, which may stand for the year"
    return f"of the date of birth only {'year and month are' if born.month else 'the year is'} known"


@dataclass(frozen=True)
class Comparison:
    """Values that two records share under a table; it has a `__dict__` for what is computed once."""

    table: RuleTable
    one: Record
    other: Record
    common: float | None = None
    """Of one list's persons, the share that the other has too; the table's where none is given."""

    def __repr__(self) -> str:
        return "Comparison()"

    @cached_property
    def shared(self) -> dict[int, tuple[str, ...]]:
        """The readable values that both records give, by rule number."""
        met: dict[int, tuple[str, ...]] = {}
        for item in sorted(
            set(record_inputs(self.one, self.table)).intersection(record_inputs(self.other, self.table))
        ):
            met[item.rule] = (*met.get(item.rule, ()), readable(item.value))
        return met

    @property
    def rules(self) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.table.rules if rule.number in self.shared)

    @property
    def surely_sent(self) -> tuple[Rule, ...]:
        """Of these, the rules that hold whatever else the lists contain; the others need a value that is rare there."""
        return tuple(rule for rule in self.rules if rule.most_records is None)

    @property
    def depends_on_rarity(self) -> bool:
        """Return whether it matters that a value is rare in both lists."""
        return strongest_parts(self.rules) != strongest_parts(self.surely_sent)

    def parts(self) -> tuple[Part, ...]:
        """The strongest part of each family that agrees."""
        return strongest_parts(self.rules)

    def silent(self) -> list[tuple[str, float | None]]:
        """The families of which nothing agrees, with the table's weights for that.

        One whose weight a round learns is named where both records tell of it.
        """
        weights = dict(self.table.silent)
        return [
            (family, weights[family] / CENTIBITS if family in weights else None)
            for family in missing_families(self.table, self.rules)
            if family in weights or self._both_tell(family)
        ]

    def _both_tell(self, family: str) -> bool:
        """Return whether both records have values to compare in a family whose missing evidence is learned."""
        both = [(record, record_names(record)) for record in (self.one, self.other)]
        counted = self.table.counted
        told = family in {counted.context, counted.date} if counted else False
        reads = [part.reads for part in self.table.parts if part.family == family and (told or part.usual is None)]
        return any(all(part_values(record, names, read) for record, names in both) for read in reads)

    def bits(self) -> float:
        return table_weight(self.table, self.rules) / CENTIBITS

    def prior(self, size: int) -> float:
        """Return the prior in bits between two lists of this size."""
        return prior(size, size, self._common_per_million) / CENTIBITS

    @property
    def share(self) -> float:
        """Of one list's persons, the share that the other is taken to have too."""
        return self._common_per_million / MILLION

    @property
    def _common_per_million(self) -> int:
        return self.table.common_per_million if self.common is None else round(MILLION * self.common)

    def differing(self) -> list[str]:
        """Return the differences in words: those of weak agreements, and of attributes that both records have."""
        both = [(record, record_names(record)) for record in (self.one, self.other)]
        found = [part.differs for part in self.parts() if part.differs]
        for reads, words in _FIELDS.items():
            one, other = (set(part_values(record, names, reads)) for record, names in both)
            if one and other and not one & other:
                found.append(f"{words[1]}: both tell of it, and it differs")
        return found

    def strangers_bits(self, size: int) -> float:
        """Return how many pairs of two persons in two lists of this size agree in just this way, as log2; at most."""
        mask = mask_of(rule.number for rule in self.rules)
        return strangers_bits(self.table, mask, GradingBasis(size, size, 1, 1))

    def grade(self, rules: tuple[Rule, ...], size: int) -> Grade | None:
        """Grade some of the rules between two lists of this size; None if no rule met."""
        mask = mask_of(rule.number for rule in rules)
        return grade(self.table, mask, size, size, self._common_per_million) if mask else None

    def document(self, sizes: Iterable[int]) -> dict[str, object]:
        return {
            "record_ids": [self.one.record_id, self.other.record_id],
            "rules": self.table.name,
            "met": {rule.name: list(self.shared[rule.number]) for rule in self.rules},
            "bits": self.bits(),
            "agree": [
                {"family": part.family, "bits": part.centibits / CENTIBITS, "sentence": part.sentence}
                for part in self.parts()
            ],
            "differ": [{"family": family, "bits": bits} for family, bits in self.silent()],
            "differing": self.differing(),
            "common": self.share,
            "certainty": [
                {
                    "records": size,
                    "prior_bits": self.prior(size),
                    "strangers_bits": round(self.strangers_bits(size), 2) if self.rules else None,
                    "if_rare": _certainty(self.grade(self.rules, size)),
                    "otherwise": _certainty(self.grade(self.surely_sent, size)),
                }
                for size in sizes
            ],
        }


def _certainty(found: Grade | None) -> dict[str, object]:
    if found is None:
        return {"probability": 0.0, "level": None}
    return {"probability": round(found.probability, 6), "level": found.level and found.level.value}
