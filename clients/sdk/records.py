"""The client of a node's own records: a search, and one record with its history."""

from __future__ import annotations

from aquila.interface.records import (
    CorrectionReport,
    ListDifference,
    RecordCorrection,
    RecordPage,
    RecordSearch,
    RecordView,
)
from clients.sdk.service_client import ServiceClient, acts, answers


class RecordsClient(ServiceClient):
    """A party's own records. What is looked for is in no address."""

    search = answers("search_records", RecordPage, RecordSearch)
    browse = answers("get_records", RecordPage)
    difference = answers("get_difference", ListDifference)
    show = answers("get_record", RecordView)
    check_correction = answers("check_correction", CorrectionReport, RecordCorrection)
    correct = answers("put_record", CorrectionReport, RecordCorrection)
    take_out = acts("delete_record")
