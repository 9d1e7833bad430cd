"""Match rules and records that are few enough to count tokens and guesses by hand."""

from __future__ import annotations

from aquila.records.person import PartialDate, Record
from aquila.records.rules import parse_rules

FIVE_RULES = parse_rules("""
name = "five rules"
version = 1
expected_share = 0.03
families = { names = "names", date = "date of birth", place = "place of birth", document = "document number" }
[parts.pair]
reads = "pair:folded"
family = "names"
bits = 8
sentence = "a pair"
[parts.year]
reads = "birth:year"
family = "date"
bits = 5
sentence = "a year"
[parts.document]
reads = "document"
family = "document"
bits = 24
sentence = "a number"
[parts.place]
reads = "place"
family = "place"
bits = 4
sentence = "a place"
[[rules]]
number = 1
name = "pair and year"
input_class = "partial"
parts = ["pair", "year"]
sentence = "Both."
[[rules]]
number = 2
name = "pair"
input_class = "partial"
parts = ["pair"]
sentence = "A pair."
[[rules]]
number = 3
name = "pair and place"
input_class = "partial"
parts = ["pair", "place"]
sentence = "A pair and a place."
[[rules]]
number = 4
name = "year and place"
input_class = "partial"
parts = ["year", "place"]
sentence = "A year and a place."
[[rules]]
number = 7
name = "document"
input_class = "full"
parts = ["document"]
sentence = "A number."
""")
RECORDS = [
    Record("1", ("Ana",), ("Kos",), date_of_birth=PartialDate(1980)),
    Record("2", ("Ana",), ("Kos",), date_of_birth=PartialDate(1981)),
    Record("3", ("Kos",), ("Ana",)),
    Record("4", ("Eva",), ("Novak",), date_of_birth=PartialDate(1980), document_numbers=("P1234567",)),
]
