"""The client of a party's own records."""

from __future__ import annotations

import json
from typing import Any

from aquila.interface.records import RecordSearch
from clients.sdk import Connection, RecordsClient

IMPORT = "b" * 32
FOUND = {
    "import_id": IMPORT,
    "position": 3,
    "list_name": "autumn",
    "record_id": "si-1",
    "record": {"given_names": ["Ana"], "family_names": ["Novak"]},
}


def test_search(connection: Connection, answers: Any) -> None:
    """What is looked for is in the body, and in no address; a page comes back."""
    answers.says(json={"records": [FOUND], "offset": 0, "total": 1})
    page = RecordsClient(connection).search(RecordSearch(name="Novak", alike=True))
    asked = answers.asked[0]
    assert (asked.method, asked.url.raw_path) == ("POST", b"/v1/records/search")
    assert json.loads(asked.content) == {"number": "", "name": "Novak", "alike": True, "offset": 0}
    assert page.records[0].position == 3


def test_show(connection: Connection, answers: Any) -> None:
    """A record is asked for by its place; its fields are in no text that an object prints of itself."""
    answers.says(
        json={
            "entry": FOUND,
            "names": [{"field": "given_names", "written": "Ana", "words": ["ana"]}],
            "imported_at": 1,
            "uses": [],
            "elsewhere": [],
            "hits": None,
        }
    )
    view = RecordsClient(connection).show(IMPORT, 3)
    assert answers.asked[0].url.path == f"/v1/imports/{IMPORT}/records/3"
    assert view.hits is None
    assert "Novak" not in f"{view!r} {view} {RecordSearch(name='Novak')!r}"
    assert "ana" not in repr(view)
