"""What the matcher sees of one list in its token rows: the rows that can matter to a query, and signs of guesses.

Of a long list, a match with a query needs the rows whose token the query may have, because these meet or are too
frequent; and all rows of the records that bear one, because their positions among the tokens of their record are
reported (PROTOCOL.md 3.7.1 and 3.7.3). All other rows meet nothing. The first 64 bits of tokens and of handles decide:
where they agree by chance, a row too many is kept, which changes no result.

The matcher cannot read a token, but it sees how many records of a list bear the same one (3.7.11). A node holds back
what more records share than the frequency limit, so a list in which a token occurs more often was not made by a node as
we ship it; and names with whole dates hardly ever repeat in a list of persons. Flags are for people.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from aquila.matching.join import parse_rows
from aquila.records.rules import InputClass, RuleTable
from aquila.sentences import Sentence


def first_bits(chunks: Iterable[bytes]) -> np.ndarray:
    """Return the first 64 bits of all tokens of some chunks of token rows, each once, ascending.

    Raises:
        MalformedError: The bytes are not whole rows.
    """
    return np.unique(np.concatenate([_EMPTY, *(_bits(parse_rows(rows), "high") for rows in chunks)]))


def meeting_handles(chunks: Iterable[bytes], tokens: np.ndarray) -> np.ndarray:
    """Return the first 64 bits of the handles of all records that bear one of some tokens, each once, ascending.

    Args:
        chunks: The token rows of a list.
        tokens: The first 64 bits of the tokens, ascending.

    Raises:
        MalformedError: The bytes are not whole rows.
    """
    met = (parse_rows(rows) for rows in chunks)
    found = (_bits(rows[_are_in(_bits(rows, "high"), tokens)], "handle_high") for rows in met)
    return np.unique(np.concatenate([_EMPTY, *found]))


def rows_of(chunks: Iterable[bytes], handles: np.ndarray) -> Iterator[bytes]:
    """Yield the rows of records, chunk by chunk and in their order.

    Args:
        chunks: The token rows of a list.
        handles: The first 64 bits of the records' handles, ascending.

    Raises:
        MalformedError: The bytes are not whole rows.
    """
    for content in chunks:
        rows = parse_rows(content)
        yield rows[_are_in(_bits(rows, "handle_high"), handles)].tobytes()


_EMPTY = np.empty(0, dtype=np.uint64)


def _bits(rows: np.ndarray, column: str) -> np.ndarray:
    return rows[column].astype(np.uint64)


def _are_in(bits: np.ndarray, sought: np.ndarray) -> np.ndarray:
    """Return which of some numbers are among others, which ascend and are few."""
    if not len(sought):
        return np.zeros(len(bits), dtype=bool)
    places = np.searchsorted(sought, bits)
    same: np.ndarray = sought[np.minimum(places, len(sought) - 1)] == bits
    return same


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
        """Count one chunk; raises MalformedError if the rows are not whole."""
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
