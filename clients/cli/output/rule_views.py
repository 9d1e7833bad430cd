"""Match rules, explanations and comparisons as tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aquila.matching.certainty import Grade
from aquila.records.person import Record
from aquila.records.rules import RuleTable
from clients.cli.output.rule_explanations import Comparison, RuleExplanation
from clients.cli.output.screen import Table, numbered

_SHOWN_VALUES = 6
_SURE = 0.999999  # what six digits can say without saying 1, which no match is


def table_document(table: RuleTable) -> dict[str, object]:
    """Return a rule table for JSON."""
    return {
        "name": table.name,
        "version": table.version,
        "digest": table.digest,
        "expected_share": table.expected_share,
        "families": dict(table.families),
        "rules": [
            {
                "number": rule.number,
                "name": rule.name,
                "input_class": rule.input_class.value,
                "parts": [
                    {"name": part.name, "reads": part.reads, "family": part.family, "bits": part.bits}
                    for part in rule.shown
                ],
                "bits": round(rule.weight, 2),
                "most_records": rule.most_records,
                "sentence": rule.sentence,
            }
            for rule in table.rules
        ],
    }


def table_views(table: RuleTable) -> list[Table | str]:
    """Return a rule table as tables: its rules, their parts, and what it presumes."""
    words = dict(table.families)
    rules = [
        (
            str(rule.number),
            rule.name,
            rule.input_class.value,
            " + ".join(words[part.family] for part in rule.shown),
            f"{rule.weight:.1f}",
            rule.sentence,
        )
        for rule in table.rules
    ]
    rows = [(part.name, words[part.family], part.reads, f"{part.bits:.1f}", part.sentence) for part in table.parts]
    return [
        Table(
            f"Match rules {table.name}, version {table.version}",
            ("no.", "rule", "class", "evidence", "bits", "in words"),
            rules,
        ),
        Table("Parts of rules", ("part", "evidence", "reads", "bits", "two records agree"), rows),
        f"Of each evidence family the strongest part counts. Expected share of common persons: {table.expected_share}.",
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
    agree = [(words[part.family], f"{part.bits:.1f}", part.sentence) for part in found.parts()]
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
    """Return certainty by the records of the longer list, with and without what needs a rare value."""
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
    """Return probability and level."""
    if grade is None:
        return "-", "no hit"
    return f"{min(grade.probability, _SURE):.6f}", grade.level.value if grade.level else "no hit"


def _values(values: Sequence[str]) -> str:
    """Return the first values, and how many more there are."""
    left = len(values) - _SHOWN_VALUES
    shown = ", ".join(values[:_SHOWN_VALUES])
    return f"{shown} and {left} more" if left > 0 else shown
