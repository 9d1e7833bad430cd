"""The page `schemas/intelligence/corroboration.md`, written from the table that nodes read."""

from aquila.matching.corroboration import EVALUATIONS, corroboration_table

PAGE = "intelligence/corroboration.md"
_ABOUT = """\
Written by `make schemas` from `aquila/matching/tables/corroboration.toml`. A node applies it to a hit that both sides
have confirmed, and shows the own evaluation *before -> after* with the reason. It is no part of the certainty of the
match."""
_RULES = """\
A note that is not named here stays as it is. Nothing is ever lowered, no source code ever changes, and a note X4
raises nothing by itself."""
_CODES = """\
| code | the source |
|---|---|
| A | no doubt as to authenticity, trustworthiness and competence, or reliable in all instances |
| B | in most instances reliable |
| C | in most instances unreliable |
| X | cannot be assessed |

| code | the information |
|---|---|
| 1 | accuracy not in doubt |
| 2 | known personally to the source, not to the official who passes it on |
| 3 | not known personally to the source, corroborated by other information already recorded |
| 4 | not known personally to the source, cannot be corroborated |"""


def page() -> str:
    """The whole page, as Markdown."""
    table = corroboration_table()
    raised = {own: [o for o in EVALUATIONS if table.apply(own, o).raised] for own in EVALUATIONS}
    rows = [
        f"| {own} | {own[0]}{table.apply(own, others[0]).after[1]} | {', '.join(others)} |"
        for own, others in raised.items()
        if others
    ]
    reasons = dict.fromkeys(table.apply("X4", other).sentence for other in EVALUATIONS)
    reached = {why: [o for o in EVALUATIONS if table.apply("X4", o).sentence == why] for why in reasons}
    parts = [
        f"# Certainty of the intelligence, table version {table.version}",
        _ABOUT,
        f"Source of the codes: {table.source}.\n\nAssumption, which no machine can check: {table.assumption}.",
        "## The codes",
        _CODES,
        "## What is raised",
        _RULES,
        "\n".join(["| own note | becomes | by a counterpart's note of |", "|---|---|---|", *rows]),
        "## Why, of an own note with 4",
        "\n".join(f"- {', '.join(others)}: {why}." for why, others in reached.items()),
    ]
    return "\n\n".join(parts) + "\n"
