"""The node's own tasks: what they give, and that their arguments show nothing."""

from aquila.protocol.submissions.tasks import digest_records
from aquila.records.person import PartialDate, Record
from aquila.records.rules import load_rules
from services.node.steps.submissions.tasks import StoredBatch, digest_stored
from tests.support.pickled import sent


def test_stored_records_are_digested_as_records_are() -> None:
    """The way through storage and through another process changes nothing."""
    table = load_rules("exact")
    records = [
        Record(record_id="1", given_names=("Mira",), family_names=("Janković",), date_of_birth=PartialDate(1980, 1, 2)),
        Record(record_id="2", given_names=("Арбен",), family_names=("Хоџа",), date_of_birth=PartialDate(1975, 5, 6)),
    ]
    work = StoredBatch(b"\x01" * 32, table, [record.to_json() for record in records])
    found = digest_stored(sent(work))
    assert found.to_bytes() == digest_records(b"\x01" * 32, table, records).to_bytes()


def test_a_batch_shows_nothing_of_its_records() -> None:
    """Pools and schedulers print the arguments of a task that failed."""
    assert "Mira" not in repr(StoredBatch(b"\x01" * 32, load_rules("exact"), [b"Mira"]))
