"""The client of a party's own records."""

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
