"""Lists in memory, in place of the files of a rehearsal."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from aquila.protocol.submission_plan import BATCH_RECORDS
from aquila.records.person import Record
from aquila.records.rows import AcceptedRow, Row, RowColumns
from aquila.simulation.sources import ListFile, RowBatch


@dataclass(frozen=True, slots=True, repr=False)
class RecordBatch:
    """Records that need no reading."""

    records: tuple[Record, ...]

    def read(self) -> RowColumns:
        return RowColumns.of([AcceptedRow(0, record) for record in self.records])


class RecordList(ListFile):
    def __init__(self, records: Sequence[Record], batch_records: int = BATCH_RECORDS) -> None:
        self.name = ""
        self.size = max(1, -(-len(records) // batch_records))
        self._records, self._batch_records = records, batch_records

    def batches(self) -> Iterator[tuple[int, RowBatch]]:
        """Yield the records in batches, one empty one if there are none."""
        for number in range(self.size):
            first = number * self._batch_records
            yield number + 1, RecordBatch(tuple(self._records[first : first + self._batch_records]))

    def admit(self, record_ids: Sequence[str], refused: int) -> bool:
        """Take them as they are."""
        del record_ids, refused
        return True

    def watch(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Pass them on."""
        yield from rows

    def end(self) -> None:
        """Be content."""


def in_memory(lists: Mapping[str, Sequence[Record] | ListFile]) -> dict[str, ListFile]:
    """Return lists of which some are records; files stay as they are."""
    return {code: one if isinstance(one, ListFile) else RecordList(one) for code, one in lists.items()}
