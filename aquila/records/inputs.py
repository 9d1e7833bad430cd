"""From a record to the inputs of match rules: canonical bytes, equal where two parties should meet.

Inputs say nothing yet about who may compare them; the protocol hashes each with binding, class and rule before it is
blinded (PROTOCOL.md, input digest).
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from aquila.records.normalize.letter_tables import NORMALIZER_VERSION
from aquila.records.rule_parts import part_values, record_names

if TYPE_CHECKING:
    from aquila.records.person import Record
    from aquila.records.rule_parts import Name
    from aquila.records.rules import RuleTable

_PART_MARK = "\x1e"  # between the parts of one input; occurs in no value


class Input(NamedTuple):
    """One input: the rule's number and the canonical bytes. It is personal: never logged, never stored in the clear."""

    rule: int
    value: bytes

    def __repr__(self) -> str:
        return f"Input(rule={self.rule})"


def record_inputs(
    record: Record, table: RuleTable, names: tuple[Name, ...] | None = None, version: int = NORMALIZER_VERSION
) -> tuple[Input, ...]:
    """All inputs that a record gives under a table, each once, ordered by rule and bytes.

    Rules whose parts the record lacks give none. `names` are the record's (`record_names`), where they are known;
    `version` is the normalizer's by which they were read and everything else is.
    """
    if names is None:
        names = record_names(record, version)
    known: dict[str, tuple[str, ...]] = {}
    inputs: set[Input] = set()
    for rule in table.rules:
        values = []
        for part in rule.parts:
            if part.reads not in known:
                known[part.reads] = part_values(record, names, part.reads, version)
            values.append(known[part.reads])
        inputs.update(Input(rule.number, _PART_MARK.join(chosen).encode()) for chosen in product(*values))
    return tuple(sorted(inputs))
