"""What the matcher sees of one list in its token rows: the rows that can matter to a query, and signs of guesses.

Of a long list, a match with a query needs the rows whose token the query may have, because these meet or are too
frequent; and all rows of the records that bear one, because their positions among the tokens of their record are
reported (PROTOCOL.md 3.7.1 and 3.7.3). All other rows meet nothing. The first 64 bits of tokens and of handles decide:
where they agree by chance, a row too many is kept, which changes no result.

The matcher cannot read a token, but it sees how many records of a list bear the same one (3.7.11). A node holds back
what more records share than the frequency limit, so a list in which a token occurs more often was not made by a node as
we ship it; and names with whole dates hardly ever repeat in a list of persons. Flags are for people.
"""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from aquila.matching.join import parse_rows
from aquila.records.rules import InputClass, RuleTable
from aquila.sentences import Sentence


class ReadRows:
    """The token rows of a submission, read chunk by chunk each time that something is asked of them.

    Every method raises MalformedError if the bytes are not whole rows.

    Args:
        read: Reads the chunks, as often as it is called.
    """

    def __init__(self, read: Callable[[], Iterable[bytes]]) -> None:
        self._read = read

    def every(self) -> bytes:
        """Return all rows."""
        return b"".join(self._read())

    def first_bits(self) -> NDArray[np.uint64]:
        """Return the first 64 bits of all tokens, each once, ascending."""
        return np.unique(np.concatenate([_EMPTY, *(_bits(parse_rows(rows), "high") for rows in self._read())]))

    def bearing(self, tokens: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Return the first 64 bits of the handles of all records that bear one of some tokens, each once, ascending.

        Args:
            tokens: The first 64 bits of the tokens, ascending.
        """
        met = map(parse_rows, self._read())
        found = (_bits(rows[are_among(_bits(rows, "high"), tokens)], "handle_high") for rows in met)
        return np.unique(np.concatenate([_EMPTY, *found]))

    def of_records(self, handles: NDArray[np.uint64]) -> bytes:
        """Return the rows of records, whose handles' first 64 bits are given, ascending."""
        chunks = map(parse_rows, self._read())
        return b"".join([rows[are_among(_bits(rows, "handle_high"), handles)].tobytes() for rows in chunks])


class KeptRows(ReadRows):
    """The token rows of a submission in memory, where those of few tokens or records are found without the others.

    Args:
        chunks: The rows, chunk by chunk.
    """

    BYTES_OF_ROW = 53

    def __init__(self, chunks: Iterable[bytes]) -> None:
        rows = parse_rows(b"".join(chunks))
        handles = _bits(rows, "handle_high")
        order = np.argsort(handles)
        self._rows, self._handles = rows[order], handles[order]
        tokens = _bits(self._rows, "high")
        self._by_token = np.argsort(tokens).astype(np.uint32)
        self._tokens = tokens[self._by_token]

    @property
    def size(self) -> int:
        """Return the bytes that they take."""
        return len(self._rows) * self.BYTES_OF_ROW

    def every(self) -> bytes:
        return self._rows.tobytes()

    def first_bits(self) -> NDArray[np.uint64]:
        return np.unique(self._tokens)

    def bearing(self, tokens: NDArray[np.uint64]) -> NDArray[np.uint64]:
        return np.unique(self._handles[self._by_token[_places(self._tokens, tokens)]])

    def of_records(self, handles: NDArray[np.uint64]) -> bytes:
        return self._rows[_places(self._handles, handles)].tobytes()


def _places(ascending: NDArray[np.uint64], sought: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the places of some numbers, each given once, among others that ascend."""
    first = np.searchsorted(ascending, sought)
    often = np.searchsorted(ascending, sought, side="right") - first
    return np.repeat(first - np.cumsum(often) + often, often) + np.arange(often.sum())


_EMPTY = np.empty(0, dtype=np.uint64)


def _bits(rows: np.ndarray, column: str) -> np.ndarray:
    return rows[column].astype(np.uint64)


def are_among(bits: np.ndarray, sought: np.ndarray) -> np.ndarray:
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
