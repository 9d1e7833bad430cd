"""Each method of both clients calls the path of the interface with what it should."""

import io
from typing import Any

from aquila.records.reading.layouts import Layout
from clients.sdk import Connection, NodeClient

ROUND, IMPORT = "a" * 32, "b" * 32
REPORT = {
    "import_id": IMPORT,
    "name": "si.csv",
    "accepted": 1,
    "refused": 0,
    "warnings": 0,
    "groups": [],
    "findings": [],
    "findings_left_out": 0,
    "rules": [],
    "duplicates": 0,
    "sample": [],
}


def test_import(connection: Connection, answers: Any) -> None:
    answers.says(201, json=REPORT)
    report = NodeClient(connection).import_list(io.BytesIO(b"record_id"), "si.csv", Layout("csv"), accept_refused=True)
    asked = answers.asked[0]
    assert (asked.method, asked.url.path, asked.content) == ("POST", "/v1/imports", b"record_id")
    assert dict(asked.url.params) == {"name": "si.csv", "format": "csv", "accept_refused": "true"}
    assert asked.headers["content-length"] == "9"
    assert asked.extensions["timeout"] | {"read": 3600, "connect": 5} == asked.extensions["timeout"]
    assert report.import_id == IMPORT
