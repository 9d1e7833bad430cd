"""What reading a list gives."""

from aquila.records.person import Record
from aquila.records.rows import AcceptedRow, Finding, ReadReport, RefusedRow, Row, Severity


def rows() -> list[Row]:
    record = Record(record_id="1", full_name="Ana Ilić")
    warning, refusal = Finding(3, "sex", "unknown"), Finding(3, "", "too little", Severity.REFUSAL)
    return [AcceptedRow(2, record, (warning,)), AcceptedRow(3, record), RefusedRow(4, "x", (warning, refusal))]


def test_a_report_counts_rows_as_they_pass() -> None:
    report = ReadReport()
    assert list(report.watch(rows())) == rows()
    assert (report.accepted, report.refused, report.warnings) == (2, 1, 2)


def test_rows_show_their_line_only() -> None:
    assert [repr(row) for row in rows()] == ["AcceptedRow(line=2)", "AcceptedRow(line=3)", "RefusedRow(line=4)"]
