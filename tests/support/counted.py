"""Match rules and records that are few enough to count tokens and guesses by hand."""

from pathlib import Path

from aquila.records.person import PartialDate, Record
from aquila.records.rules import parse_rules

FIVE_RULES = parse_rules(Path(__file__).with_name("five_rules.toml").read_text("utf-8"))
RECORDS = [
    Record("1", ("Ana",), ("Kos",), date_of_birth=PartialDate(1980)),
    Record("2", ("Ana",), ("Kos",), date_of_birth=PartialDate(1981)),
    Record("3", ("Kos",), ("Ana",)),
    Record("4", ("Eva",), ("Novak",), date_of_birth=PartialDate(1980), document_numbers=("P1234567",)),
]
