"""The table of PROTOCOL.md that states what shows each entry: it is the one by which the audit counts them."""

import re
from pathlib import Path

from aquila.audit.entries import EntryKind
from aquila.protocol.auditing.log_record import ShownBy, shown_by
from aquila.protocol.log_entries import REFUSED, WITHOUT_ENVELOPE, statement_entry
from aquila.protocol.messages import ANNOUNCEMENTS, PARTY_STATEMENTS, Manifest
from tests.support.samples import SAMPLES

ROOT = Path(__file__).parents[2]


def test_the_document_has_the_table_of_the_code() -> None:
    """Each kind stands in the row of its proof; all others are the word of the owner of the log."""
    text = (ROOT / "schemas" / "PROTOCOL.md").read_text(encoding="utf-8")
    section = text.partition("10.2.2")[2].partition("10.3 ")[0]
    rows = dict(re.findall(r"^\| ([a-z ]+) \| (.+) \|$", section, re.MULTILINE))
    assert rows.pop("shown by") == "entries"
    assert rows.pop(ShownBy.NOBODY.value) == "all others"
    found = {kind: name for name, kinds in rows.items() for kind in re.findall(r"`(\w+)`", kinds)}
    assert found == {kind.value: shown_by(kind).value for kind in EntryKind if shown_by(kind) is not ShownBy.NOBODY}


def test_the_table_follows_from_what_is_signed() -> None:
    """Entries of statements are shown by their signers, but for those whose envelope no log has."""
    kinds = {statement_entry(Manifest.model_validate(SAMPLES[Manifest]), "0" * 64, 1).kind: ShownBy.MATCHER}
    for message in (*PARTY_STATEMENTS, *ANNOUNCEMENTS):
        signer = ShownBy.PARTY if message in PARTY_STATEMENTS else ShownBy.MATCHER
        kinds[statement_entry(message.model_validate(SAMPLES[message]), "0" * 64, 1).kind] = signer
    kinds |= dict.fromkeys(REFUSED, ShownBy.PARTY)
    for kind, signer in kinds.items():
        assert (shown_by(kind) is signer) is (kind not in WITHOUT_ENVELOPE)
    assert {shown_by(kind) for kind in WITHOUT_ENVELOPE} == {ShownBy.RECEIPTS, ShownBy.CONFIRMATION}
