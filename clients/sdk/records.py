"""The client of a node's own records: a search, and one record with its history."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from aquila.interface.records import (
    CorrectionReport,
    ListDifference,
    RecordCorrection,
    RecordPage,
    RecordSearch,
    RecordView,
)

if TYPE_CHECKING:
    from clients.sdk.connection import Connection


class RecordsClient:
    """A party's own records. Every method raises the error in the node's problem document."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def search(self, wanted: RecordSearch) -> RecordPage:
        """Return a page of the records that a number or a name finds; what is looked for is in no address.

        Raises:
            InputError: Nothing is looked for, or the name holds no letter that can be read.
        """
        body = wanted.model_dump(mode="json")
        return self._connection.fetch(RecordPage, "POST", "/v1/records/search", json=body)

    def browse(self, import_id: str, offset: int = 0) -> RecordPage:
        """Return a page of the records of a list, in its own order."""
        path = f"/v1/imports/{quote(import_id, safe='')}/records"
        return self._connection.fetch(RecordPage, "GET", path, params={"offset": str(offset)})

    def difference(self, import_id: str) -> ListDifference:
        """Return the difference of a stored list to the one before."""
        return self._connection.fetch(ListDifference, "GET", f"/v1/imports/{quote(import_id, safe='')}/difference")

    def show(self, import_id: str, position: int) -> RecordView:
        """Return the record at a place of a list, with its history."""
        path = f"/v1/imports/{quote(import_id, safe='')}/records/{position:d}"
        return self._connection.fetch(RecordView, "GET", path)

    def check_correction(self, import_id: str, position: int, wanted: RecordCorrection) -> CorrectionReport:
        """Return how a corrected record would be read; nothing is stored."""
        path = f"/v1/imports/{quote(import_id, safe='')}/records/{position:d}/check"
        return self._connection.fetch(CorrectionReport, "POST", path, json=wanted.model_dump(mode="json"))

    def correct(self, import_id: str, position: int, wanted: RecordCorrection) -> CorrectionReport:
        """Store other fields of a record.

        Raises:
            InputError: The fields give no record.
            PolicyError: An open round uses its list, or it has hits.
        """
        path = f"/v1/imports/{quote(import_id, safe='')}/records/{position:d}"
        return self._connection.fetch(CorrectionReport, "PUT", path, json=wanted.model_dump(mode="json"))

    def take_out(self, import_id: str, position: int) -> None:
        """Take a record out of its list; raises as `correct` does."""
        self._connection.call("DELETE", f"/v1/imports/{quote(import_id, safe='')}/records/{position:d}")
