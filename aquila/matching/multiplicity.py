"""Frequency of values in one list, from its tokens: signs of guesses are flagged (PROTOCOL.md 3.7.11).

The matcher cannot read a token, but it sees how many records of a list bear the same one. A node holds back what more
records share than the frequency limit, so a list in which a token stands more often was not made by a node as we ship
it; and names with whole dates hardly ever repeat in a list of persons. A flag is for people: nothing is refused by it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aquila.matching.join import parse_rows
from aquila.records.rules import InputClass, RuleTable
from aquila.sentences import Sentence

MOST_SAMPLED = 2_000_000
LEAST_ROWS = 48
_MOST_REPEATED = 0.25  # of a rule's rows that is in the class full
_SPACE = 1 << 64


class Multiplicity:
    """Counts the tokens of one submission, chunk by chunk; of a large one those below a bound, which are a fair sample.

    Args:
        table: The round's match rules.
        rows: How many token rows the submission has.
    """

    def __init__(self, table: RuleTable, rows: int) -> None:
        self._table = table
        self._bound = np.uint64(min(_SPACE - 1, _SPACE * MOST_SAMPLED // max(rows, 1)))
        self._tokens: dict[int, list[NDArray[np.uint64]]] = {}

    def add(self, rows: bytes) -> None:
        """Count one chunk.

        Raises:
            MalformedError: The rows are not whole.
        """
        wire = parse_rows(rows)
        high = wire["high"].astype(np.uint64)
        sampled = high <= self._bound
        high, rules = high[sampled], wire["rule"][sampled]
        for number in np.unique(rules).tolist():
            self._tokens.setdefault(number, []).append(high[rules == number])

    def flags(self, frequency_limit: int) -> tuple[Sentence, ...]:
        """Return the signs of guesses, which name rules and counts.

        Args:
            frequency_limit: In how many records of a list a value may stand at most.
        """
        found = []
        for rule in self._table.rules:
            parts = self._tokens.get(rule.number)
            if parts is None:
                continue
            _, records = np.unique(np.concatenate(parts), return_counts=True)
            limit = min(frequency_limit, rule.most_records or frequency_limit)
            above = int((records > limit).sum())
            if above:
                most = int(records.max())
                found.append(Sentence.of("values_above_limit", values=above, rule=rule.name, limit=limit, most=most))
            repeated = int(records[records > 1].sum())
            rows = int(records.sum())
            if rule.input_class is InputClass.FULL and rows >= LEAST_ROWS and repeated > _MOST_REPEATED * rows:
                found.append(Sentence.of("values_repeated", rule=rule.name, share=f"{repeated / rows:.0%}"))
        return tuple(found)
