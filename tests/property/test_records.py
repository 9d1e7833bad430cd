"""Properties of records, names and inputs."""

from hypothesis import given
from hypothesis import strategies as st

from aquila.records.inputs import record_inputs
from aquila.records.normalize.names import fold, to_latin
from aquila.records.person import CODES, LIST_FIELDS, PartialDate, Record
from aquila.records.rule_parts import part_values, record_names
from aquila.records.rules import load_rules

DEFAULT = load_rules("default")

LATIN = ("lj", "nj", "dž", *"abcčćdđefghijklmnoprsštuvzž")
CYRILLIC = ("љ", "њ", "џ", *"абцчћдђефгхијклмнопрсштувзж")
BARE = {"đ": "dj", "dž": "dz", "č": "c", "ć": "c", "š": "s", "ž": "z"}

letters = st.lists(st.integers(0, len(LATIN) - 1), min_size=2, max_size=10)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
names = st.sampled_from(["Ana", "Марко", "Đorđe", "Abd al-Rahman", "Ștefan", "Nagy-Kovács", "Ilić"])
dates = st.one_of(
    st.dates().map(lambda day: PartialDate(day.year % 200 + 1850, day.month, min(day.day, 28))),
    st.builds(PartialDate, st.integers(1900, 2020), st.integers(1, 12)),
    st.builds(PartialDate, st.integers(1900, 2020)),
)


@st.composite
def records(draw: st.DrawFn) -> Record:
    optional = {name: draw(st.none() | st.sampled_from(codes)) for name, codes in CODES.items()}
    lists = {name: tuple(draw(st.lists(texts, max_size=3))) for name in LIST_FIELDS}
    return Record(
        record_id=draw(texts.filter(bool)),
        full_name=draw(texts.filter(bool)),
        date_of_birth=draw(st.none() | dates),
        place_of_birth=draw(st.none() | texts),
        category=draw(st.none() | texts),
        **optional,
        **lists,
    )


@given(records())
def test_a_record_survives_json_both_ways(record: Record) -> None:
    stored = record.to_json()
    assert Record.from_json(stored) == record
    assert Record.from_json(stored).to_json() == stored


@given(letters)
def test_bare_letters_fold_as_their_diacritics(word: list[int]) -> None:
    marked = " ".join(LATIN[letter] for letter in word)
    bare = " ".join(BARE.get(LATIN[letter], LATIN[letter]) for letter in word)
    assert [fold(part) for part in marked.split()] == [fold(part) for part in bare.split()]


@given(texts)
def test_readable_latin_is_idempotent(text: str) -> None:
    assert to_latin(to_latin(text)) == to_latin(text)


@given(st.lists(names, min_size=2, max_size=4), dates)
def test_inputs_do_not_depend_on_the_order_of_a_name(words: list[str], date: PartialDate) -> None:
    given_names, family_names = (words[0],), tuple(words[1:])
    one = Record("1", given_names, family_names, date_of_birth=date)
    other = Record("2", family_names, given_names, date_of_birth=date)
    assert record_inputs(one, DEFAULT) == record_inputs(other, DEFAULT)


GIVEN = [
    "Ana",
    "J.",
    "Dr J.",
    "mr sc. Ana",
    "Mulla Omar",
    "Hajji Omar",
    "Ђорђе",
    "инж. Ђорђе",
    "Abd al-Rahman",
    "Abu Bakr",
]
FAMILY = ["Petrović", "P.", "Ђорђевић", "al-Masri", "Petrović, dipl. inž.", "Kovács dr."]


@given(st.sampled_from(GIVEN), st.sampled_from(FAMILY), st.none() | dates)
def test_a_name_in_columns_gives_the_inputs_of_the_whole_name(first: str, last: str, date: PartialDate | None) -> None:
    columns = Record("1", (first,), (last,), date_of_birth=date)
    for whole in (f"{first} {last}", f"{last}, {first}"):
        assert record_inputs(columns, DEFAULT) == record_inputs(
            Record("2", full_name=whole, date_of_birth=date), DEFAULT
        )


MORE = ["Juan", "Carlos", "Ђорђе", "Abd al-Rahman", "Nagy-Kovács", "mr sc. Ana", "Ilić", "Morales, dipl. ing."]


@given(st.lists(st.sampled_from(MORE), min_size=1, max_size=3), st.lists(st.sampled_from(MORE), min_size=1, max_size=3))
def test_columns_give_all_that_the_whole_name_gives(given_names: list[str], family_names: list[str]) -> None:
    """All words together and each by itself are the same; of up to three words so are all letters and each pair."""
    columns = Record("1", tuple(given_names), tuple(family_names))
    whole = Record("2", full_name=" ".join((*given_names, *family_names)))
    for part in ("all:sound", "all:folded", "word:start"):
        assert sorted(_values(columns, part)) == sorted(_values(whole, part))
    if len(record_names(whole)[0].words) <= 3:
        for part in ("letters", "pair:folded", "pair:sound", "pair:initial"):
            assert set(_values(columns, part)) <= set(_values(whole, part))


def _values(record: Record, part: str) -> tuple[str, ...]:
    return part_values(record, record_names(record), part)


@given(records())
def test_inputs_are_a_sorted_set(record: Record) -> None:
    inputs = record_inputs(record, DEFAULT)
    assert list(inputs) == sorted(set(inputs))
