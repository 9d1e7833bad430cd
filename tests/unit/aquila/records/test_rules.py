"""Match rules as data."""

import hashlib
from importlib import resources
from pathlib import Path

import pytest

from aquila.errors import InputError
from aquila.records.rules import BUILT_IN, Counted, InputClass, load_rules, parse_rules

DEFAULT = load_rules("default")
TABLE = """
name = "small"
version = 3
expected_share = 0.1

[families]
names = "names"
date = "date of birth"

[parts.pair]
reads = "pair:folded"
family = "names"
bits = 9.5
sentence = "names agree"

[parts.date]
reads = "birth:full"
family = "date"
bits = 14.0
sentence = "the date agrees"

[[rules]]
number = 2
name = "names and date"
input_class = "full"
parts = ["pair", "date"]
sentence = "Names and date agree."

[[rules]]
number = 1
name = "rare names"
input_class = "coarse"
parts = ["pair"]
most_records = 1
sentence = "Names agree."
"""


def test_a_table_is_read() -> None:
    table = parse_rules(TABLE)
    assert (table.name, table.version, table.common_per_million) == ("small", 3, 100_000)
    assert [rule.number for rule in table.rules] == [1, 2]
    rule = table.by_number[2]
    assert (rule.family, rule.centibits, rule.input_class) == ("names+date", 2350, InputClass.FULL)
    assert table.by_number[1].most_records == 1
    assert table.families == (("names", "names"), ("date", "date of birth"))
    assert (table.duplicates_per_million, table.silent) == (10_000, ())
    assert [part.fixed for part in table.parts] == [False, False]
    assert parse_rules(TABLE.replace("bits = 14.0", "bits = 14.0\nfixed = true")).parts[1].fixed
    assert [part.name for part in table.parts] == ["pair", "date"]


def test_a_rule_shows_more_than_it_compares() -> None:
    """What holds wherever it is met counts as evidence too."""
    parts = (
        '[parts.rare]\nreads = "pair:folded"\nfamily = "rarity"\nbits = 4\nsentence = "rare"\n\n[[rules]]\nnumber = 2'
    )
    content = TABLE.replace("[[rules]]\nnumber = 2", parts).replace(
        'date = "date of birth"', 'date = "d"\nrarity = "r"'
    )
    table = parse_rules(content.replace('parts = ["pair"]', 'parts = ["rare"]\nalso = ["pair"]'))
    rule = table.by_number[1]
    assert [part.name for part in rule.parts] == ["rare"]
    assert [part.name for part in rule.shown] == ["rare", "pair"]
    assert (rule.family, rule.centibits) == ("rarity+names", 1350)


def test_parts_of_a_family_are_usual_all_or_none() -> None:
    second = '[parts.other]\nreads = "pair:sound"\nfamily = "names"\nbits = 4\nsentence = "x"\n\n[parts.date]'
    content = TABLE.replace("[parts.date]", second)
    with pytest.raises(InputError, match="how usual"):
        parse_rules(content.replace("bits = 9.5", "bits = 9.5\nusual = 0.9"))
    usual = content.replace("bits = 9.5", "bits = 9.5\nusual = 0.9").replace("bits = 4", "bits = 4\nusual = 0.1")
    assert parse_rules(usual).by_number[1].parts[0].usual == 0.9


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_built_in_tables_can_be_used(name: str) -> None:
    table = load_rules(name)
    assert table is load_rules(name)
    assert table.name == name
    assert all(rule.sentence.endswith(".") and part.sentence for rule in table.rules for part in rule.parts)


def test_full_inputs_hold_an_identifier_or_two_names_with_a_whole_date() -> None:
    """What is cheaper to guess is in the class with the smaller cap."""
    for rule in load_rules("default").rules:
        reads = {part.reads for part in rule.parts}
        whole_date = "birth:any-order" in reads and any(part.startswith(("pair:sound", "letters")) for part in reads)
        is_full = whole_date or reads & {"document", "national", "phone", "email"}
        assert (rule.input_class is InputClass.FULL) == bool(is_full)


def test_coarse_inputs_hold_no_number_and_at_most_a_year() -> None:
    """Exactly the rules without a number, a month or a day; a guess at names can be sent under no other class."""
    coarse = [rule.number for rule in DEFAULT.rules if rule.input_class is InputClass.COARSE]
    assert coarse == [3, 4, 8, 9, 10, 11, 12, 13, 20, 21, 22]
    for rule in DEFAULT.rules:
        kinds = {part.reads if part.reads.startswith("birth") else part.reads.partition(":")[0] for part in rule.parts}
        of_names = {"all", "letters", "pair", "sole", "word"}
        little = of_names | {"place", "nationality", "sex", "birth:year", "birth:new-year", "birth:bare-year"}
        assert (rule.number in coarse) == (kinds <= little)
        assert rule.reads_names_alone == (kinds <= of_names)


def test_the_digest_covers_the_content_and_not_its_layout() -> None:
    """A comment changes nothing, a weight does; equal digests are equal tables to a cache."""
    table = parse_rules(TABLE)
    assert parse_rules("# a comment\n" + TABLE).digest == table.digest
    assert hash(parse_rules("# a comment\n" + TABLE)) == hash(table)
    assert parse_rules(TABLE.replace("9.5", "9.6")).digest != table.digest
    for same in ("9.50", "95e-1", "0.95e1"):
        assert parse_rules(TABLE.replace("9.5", same)).digest == table.digest
    assert parse_rules(TABLE.replace("14.0", "14")).digest == table.digest


def test_the_digest_is_over_integers() -> None:
    """Weights in hundredths of a bit and shares in millionths, as JSON without blanks and with sorted names."""
    content = TABLE.replace("bits = 14.0", "bits = 14.0\nusual = 0.8\nchance = -13.7")
    rules = (
        '{"input_class":"full","name":"names and date","number":2,"parts":["pair","date"],'
        '"sentence":"Names and date agree."},{"input_class":"coarse","most_records":1,"name":"rare names","number":1,'
        '"parts":["pair"],"sentence":"Names agree."}'
    )
    parts = (
        '"date":{"bits":1400,"chance":-1370,"family":"date","reads":"birth:full","sentence":"the date agrees",'
        '"usual":800000},"pair":{"bits":950,"family":"names","reads":"pair:folded","sentence":"names agree"}'
    )
    written = (
        '{"expected_duplicates":20000,"expected_share":100000,"families":{"date":"date of birth","names":"names"},'
        f'"name":"small","parts":{{{parts}}},"rules":[{rules}],"silent":{{"names":-125}},"version":3}}'
    )
    content = content.replace("[families]", "expected_duplicates = 0.02\nsilent.names = -1.25\n[families]")
    assert parse_rules(content).digest == hashlib.sha256(written.encode()).hexdigest()


def test_a_table_of_ones_own_is_loaded_by_path(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(TABLE)
    assert load_rules(str(path)).name == "small"


def test_a_table_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such"):
        load_rules(str(tmp_path / "none.toml"))
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="no such"):
        load_rules(str(tmp_path / "bytes.toml"))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('name = "small"', "", "lacks a field"),
        ("version = 3", 'version = "x"', "lacks a field"),
        ('input_class = "full"', 'input_class = "secret"', "lacks a field"),
        ('input_class = "full"', 'input_class = "coarse"', "the class coarse"),
        ('input_class = "coarse"', 'input_class = "partial"', "the class coarse"),
        ('input_class = "coarse"', 'input_class = "full"', "the class coarse"),
        ("[families]", "[families", r"not TOML: .* \(at line \d+, column \d+\)"),
        ("expected_share = 0.1", "expected_share = 0", "share"),
        ("expected_share = 0.1", "expected_share = 1.5", "share"),
        ("number = 2", "number = 1", "two of one number"),
        ("number = 2", "number = 0", "number outside"),
        ("number = 2", "number = 64", "number outside"),
        ('name = "names and date"', 'name = "a;b"', "number outside"),
        ('name = "names and date"', 'name = ""', "number outside"),
        ('name = "names and date"', 'name = "rare names"', "two of one number"),
        ('reads = "birth:full"', 'reads = "birth:moon"', "unknown kind"),
        ('family = "date"', 'family = "moon"', "unknown family"),
        ("bits = 14.0", "bits = 99.0", "out of range"),
        ("bits = 14.0", "bits = nan", "out of range"),
        ("bits = 14.0", "bits = -inf", "out of range"),
        ("bits = 14.0", "bits = 1e99999", "out of range"),
        ("bits = 14.0", "bits = 1e-99999", "more than 2 decimals: date"),
        ("bits = 14.0", "bits = 14.005", "more than 2 decimals: date"),
        ("bits = 14.0", "bits = 14.0000000000000000000000000000001", "more than 2 decimals: date"),
        ("bits = 14.0", "bits = 1e9999999999999999999", "lacks a field"),
        ("bits = 14.0", "bits = true", "lacks a field"),
        ("bits = 14.0", 'bits = "14"', "lacks a field"),
        ("bits = 14.0", "bits = 14.0\nnote = 0.5", "lacks a field"),
        ("bits = 14.0", "bits = 14.0\nchance = -1.001", "more than 2 decimals: date"),
        ("version = 3", "version = 3.5", "lacks a field"),
        ("expected_share = 0.1", "expected_share = 0.0000001", "more than 6 decimals: expected_share"),
        ("[parts.pair]", "[silent]\nnames = -1.001\n[parts.pair]", "more than 2 decimals: names"),
        (
            "[parts.pair]",
            '[parts."a: b"]\nreads = "document"\nfamily = "names"\nbits = 1\nsentence = "x"\n[parts.pair]',
            ":",
        ),
        ('parts = ["pair", "date"]', 'parts = ["pair", "moon"]', "does not weigh"),
        ('parts = ["pair", "date"]', "parts = []", "does not weigh"),
        ('parts = ["pair", "date"]', 'parts = ["pair", "pair"]', "two parts"),
        ('parts = ["pair", "date"]', 'parts = ["date"]', "weak attribute"),
        ('parts = ["pair", "date"]', 'parts = ["pair"]\nalso = ["pair"]', "two parts"),
        ('parts = ["pair", "date"]', 'parts = ["pair"]\nalso = ["moon"]', "does not weigh"),
        ("expected_share = 0.1", "expected_share = 0.1\nexpected_duplicates = 0", "share"),
        ("bits = 9.5", "bits = 9.5\nusual = 0", "how usual"),
        ("bits = 9.5", "bits = 9.5\nusual = 1.5", "how usual"),
        ("[parts.pair]", "[silent]\nmoon = -1.0\n[parts.pair]", "missing evidence"),
        ("[parts.pair]", "[silent]\nnames = 1.0\n[parts.pair]", "missing evidence"),
        ("[parts.pair]", "[silent]\nnames = -99.0\n[parts.pair]", "missing evidence"),
        ("most_records = 1", "most_records = 0", "admits no record"),
        ("bits = 9.5", "bits = 9.5\nknown = true", "has a weight"),
        ("bits = 9.5", "bits = 0\nusual = 0.5\nknown = true", "has a weight"),
        ("bits = 9.5", "bits = 0\nknown = true", "requires a value"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(old: str, new: str, reason: str) -> None:
    """A fault in a table is found when it is loaded, not in a round."""
    assert old in TABLE
    with pytest.raises(InputError, match=reason):
        parse_rules(TABLE.replace(old, new))


COUNTED = """
[counted]
names = ["names", "whole", "rarity"]
context = "origin"
date = "date"
unagreed = 0.07
"""


def test_what_is_counted_is_read() -> None:
    """A table says which families are names, what depends on them, and which one chance makes agree anyway."""
    assert DEFAULT.counted == Counted(("names", "whole", "rarity"), "origin", "date", 0.07)
    assert parse_rules(TABLE).counted is None


@pytest.mark.parametrize(
    "other",
    [
        COUNTED.replace('"rarity"', '"moon"'),
        COUNTED.replace('"origin"', '"date"'),
        COUNTED.replace('"origin"', '"document"'),
        COUNTED.replace("0.07", "0"),
        COUNTED.replace("0.07", "1"),
        COUNTED.replace('date = "date"', 'date = "phone"'),
    ],
)
def test_what_cannot_be_counted_is_refused(other: str) -> None:
    """An unknown family, one named twice, and one of whose parts shares or chances are not stated."""
    content = resources.files("aquila.records").joinpath("tables", "default.toml").read_text("utf-8")
    assert COUNTED in content
    with pytest.raises(InputError, match="counted"):
        parse_rules(content.replace(COUNTED, other))


@pytest.mark.parametrize("other", ["usual = 1.0\nchance = -1.0", "usual = 0.65\nchance = 0", "usual = 0.65"])
def test_further_names_do_not_always_agree(other: str) -> None:
    """Of the pairs of names that agree, some agree in no part of a further family: by chance, and of one person."""
    content = resources.files("aquila.records").joinpath("tables", "default.toml").read_text("utf-8")
    line = "usual = 0.65\nchance = -1.0\n"
    assert content.count(line) == 1
    with pytest.raises(InputError, match="counted"):
        parse_rules(content.replace(line, f"{other}\n"))


def test_chance_is_a_share() -> None:
    with pytest.raises(InputError, match="out of range"):
        parse_rules(TABLE.replace("bits = 9.5", "bits = 9.5\nchance = 1.0"))


def test_a_table_without_rules_is_refused() -> None:
    parts_only = TABLE.partition("[[rules]]")[0]
    for content in (parts_only, "rules = []\n" + parts_only):
        with pytest.raises(InputError):
            parse_rules(content)


def test_sets_of_shadow_columns() -> None:
    """A table names sets by the length of lists; in one that does not, each rule of the class full is a set."""
    table = load_rules("default")
    assert table.shadow_sets(1) == table.shadow_sets(20_000) != table.shadow_sets(20_001)
    assert table.shadow_sets(10**9) == table.shadow[-1].sets
    assert parse_rules(BUILT_IN_TABLE.replace("[[shadow]]", "[[shadows]]")).shadow_sets(5) == ((1,),)


@pytest.mark.parametrize(
    "lines",
    [
        "longest = 5\nsets = [[2]]",
        "longest = 5\nsets = [[]]",
        "longest = 5\nsets = [[1, 1]]",
        "sets = [[1]]",
        "longest = 5\nsets = []",
        "longest = 5\nsets = [[1]]\n[[shadow]]\nlongest = 5\nsets = [[1]]",
        "longest = 5\nsets = [['x']]",
    ],
)
def test_sets_that_cannot_be_used(lines: str) -> None:
    """Of an unknown rule, empty, a rule twice, without a length, none, lengths out of order, or no numbers at all."""
    with pytest.raises(InputError):
        parse_rules(BUILT_IN_TABLE.replace("longest = 10_000_000\nsets = [[1]]", lines))


BUILT_IN_TABLE = (resources.files("aquila.records") / "tables" / "exact.toml").read_text("utf-8")
