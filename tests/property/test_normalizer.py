"""Properties of the normalizer: a name in every script, a number in every spelling."""

import re
import unicodedata

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from aquila.records.normalize.identifiers import (
    document_number,
    email,
    national_number,
    national_schemes,
    phone,
    phone_tail,
)
from aquila.records.normalize.names import CYRILLIC, FORMS, fold, name_words, table, to_latin
from aquila.records.normalize.national_numbers import SCHEMES

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
COUNTRIES = table("phones")["countries"]
LENGTHS = {"BG-LNCh": 10, "HR-OIB": 11, "HU-TAJ": 9, "MD-IDNP": 13, "SI-tax": 8, "TR-TCKN": 11}
LETTERS = "abcdefghijklmnopqrstuvwxyzčćđšžșțăâîñöüőűçğışëёжщљњј'-"
DOTS = "Iİı"


def _letters(pairs: str) -> dict[str, str]:
    return dict(pair.split("-") for pair in pairs.split())


# Written for this test from the countries' own rules of transliteration, not from the tables of the normalizer. The
# hard and the soft sign and the Russian e of echo are left out: what they become depends on the letters beside them.
COMMON_LATIN = _letters("а-a б-b в-v д-d е-e з-z к-k л-l м-m н-n о-o п-p р-r с-s т-t у-u ф-f")
OWN_LATIN = {
    "serbian": _letters("г-g ђ-đ ж-ž и-i ј-j љ-lj њ-nj ћ-ć х-h ц-c ч-č џ-dž ш-š"),
    "macedonian": _letters("г-g ѓ-gj ж-ž ѕ-dz и-i ј-j љ-lj њ-nj ќ-kj х-h ц-c ч-č џ-dž ш-š"),
    "bulgarian": _letters("г-g ж-zh и-i й-y х-h ц-ts ч-ch ш-sh щ-sht ю-yu я-ya"),
    "russian": _letters("г-g ё-e ж-zh и-i й-y х-kh ц-ts ч-ch ш-sh щ-shch ы-y ю-yu я-ya"),
    "ukrainian": _letters("г-h ґ-g є-ye ж-zh и-y і-i ї-i й-y х-kh ц-ts ч-ch ш-sh щ-shch ю-yu я-ya"),
}
# Turkish names in Bulgarian letters write ü as they write yu, and are read so after g and k: Гюлтен is Gülten.
OWN_PAIRS = {"bulgarian": _letters("гю-gu кю-ku")}
MARKS = {"serbian": "ђљњћџ", "macedonian": "ѓќѕ", "bulgarian": "йщюя", "russian": "ыё", "ukrainian": "іїєґ"}
"""Letters that tell which language a text is of."""


@pytest.mark.parametrize("language", CYRILLIC)
@given(data=st.data())
def test_a_cyrillic_name_is_its_transliteration(language: str, data: st.DataObject) -> None:
    """Whatever the word: its words are those of the Latin that passports and grammars give for its letters."""
    latin = COMMON_LATIN | OWN_LATIN[language]
    mark = data.draw(st.sampled_from(MARKS[language]))  # a letter that tells the language
    letters = data.draw(st.lists(st.sampled_from(sorted(latin)), min_size=1, max_size=12))
    word = "".join([*letters, mark])
    pairs = latin | OWN_PAIRS.get(language, {})
    spelled = "".join(pairs[part] for part in re.findall("|".join(sorted(pairs, key=len, reverse=True)), word))
    assert to_latin(word) == spelled
    assert name_words(word) == name_words(spelled)


@given(texts)
def test_case_means_nothing(text: str) -> None:
    """Lists write names in capitals; a capital I inside small letters alone may be a scanner's l."""
    lowered = text.lower()
    assume(lowered.upper().lower() == lowered and not any(letter in DOTS for letter in text))
    assert name_words(lowered) == name_words(lowered.upper())


@given(texts)
@example("àIa")  # a scanned l beside an accent
def test_composed_and_decomposed_letters_are_the_same(text: str) -> None:
    assert name_words(unicodedata.normalize("NFC", text)) == name_words(unicodedata.normalize("NFD", text))


@given(texts)
def test_every_form_of_every_word_is_something(text: str) -> None:
    """No form of a word is empty, or holds more than letters a to z; what is folded stays as it is."""
    for word in name_words(text):
        assert fold(word) == word
        for form in FORMS.values():
            assert form(word).isascii()
            assert form(word).isalpha()


@given(st.text(LETTERS, max_size=14))
def test_folding_comes_to_rest(word: str) -> None:
    """Folding a folded word changes nothing, whichever spellings meet in it."""
    assert fold(fold(word)) == fold(word)


@given(texts)
def test_canonical_identifiers_stay_as_they_are(text: str) -> None:
    for read in (document_number, national_number, phone, email):
        assert read(read(text)) == read(text)


@given(st.sampled_from(sorted(LENGTHS)), st.integers(0, 10**13))
def test_a_number_that_passes_is_left_alone(scheme: str, above: int) -> None:
    """A number with right check digits is canonical already, with or without its country's code before it."""
    length = LENGTHS[scheme]
    first = 2 * 10 ** (length - 1) + above % 10 ** (length - 2)
    number = next(text for text in map(str, range(first, first + 1000)) if scheme in national_schemes(text))
    assert national_number(number) == number
    assert scheme in national_schemes(national_number(f"{SCHEMES[scheme].countries[0]} {number}"))


@given(st.sampled_from(sorted(COUNTRIES)), st.integers(10_000_000, 999_999_999))
def test_a_telephone_number_meets_itself_from_abroad(country: str, subscriber: int) -> None:
    code, trunk = COUNTRIES[country]
    assume(len(set(str(subscriber))) > 1 and not str(subscriber).startswith(trunk or "x"))
    inside, abroad = f"{trunk}{subscriber}", f"+{code} {subscriber}"
    assert phone(inside, country) == phone(abroad) == phone(f"00{code}-{subscriber}") == f"+{code}{subscriber}"
    assert phone_tail(inside, country) == phone_tail(abroad) == str(subscriber)
