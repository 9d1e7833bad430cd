"""Somebody has the files, lines, addresses and exports of a node, and wants to know who asked what it holds."""

import re
from pathlib import Path
from typing import Any

from tests.support.log_lines import Lines

NAME = {
    "given_names": "Žarko",
    "family_names": "Ćosićanin",
    "date_of_birth": "17.9.1963",
    "document_numbers": "QX774411",
}
TRACES = re.compile(rb"arko|osi(\xc4\x87|c)anin|1963-09-17|17\.9\.1963|qx774411", re.IGNORECASE)


async def test_no_file_no_line_and_no_address_says_who_asked(node: Any, homes: Path, lines: Lines) -> None:
    """After a whole request nothing of the person is anywhere but on the page that showed it."""
    officer = await node.visitor("dpo", "data_protection_officer", "auditor")
    await officer.open("/subjects")
    page = await officer.send("/subjects", file_number="DP 2026/17", **NAME)
    assert "Ćosićanin" in page
    assert TRACES.search(str(officer.answer.url).encode()) is None
    search_id = page.split('name="search_id" value="')[1][:32]
    sent = {"search_id": search_id, "file_number": "DP 2026/17", "received": "2026-01-02", "answer": "nothing"}
    page = await officer.send("/subjects/answer", **sent)
    assert "The answer is recorded." in page
    assert "DP 2026/17" in page
    assert TRACES.search(page.encode()) is None
    await officer.send("/subjects", file_number="DP 2026/Cosicanin", **NAME)
    assert officer.answer.status_code == 422
    exported = (
        await officer.client.post("/log/export", data={"form_token": _token(officer.page)}, headers=_OURS)
    ).content
    assert b"subject_answered" in exported
    files = [path for path in (homes / "SI").rglob("*") if path.is_file()]
    for content in (exported, str(lines).encode(), *(path.read_bytes() for path in files)):
        assert TRACES.search(content) is None
    assert any(b"DP 2026/17" in path.read_bytes() for path in files)


_OURS = {"origin": "http://127.0.0.1:8701", "sec-fetch-site": "same-origin"}


def _token(page: str) -> str:
    return page.split('name="form_token" value="')[1][:64]
