"""Words and digits that people compare by telephone."""

import hashlib

import pytest

from aquila.errors import InputError, PolicyError
from aquila.protocol.registration.spoken_words import check_spoken, spoken, word_list, words_of

DIGEST = hashlib.sha256(b"a registry").hexdigest()
OTHER = hashlib.sha256(b"another one").hexdigest()


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (bytes(16), "abandon " * 11 + "about"),
        (b"\x7f" * 16, "legal winner thank year wave sausage worth useful legal winner thank yellow"),
        (b"\x80" * 16, "letter advice cage absurd amount doctor acoustic avoid letter advice cage above"),
        (b"\xff" * 16, "zoo " * 11 + "wrong"),
    ],
)
def test_words_are_those_of_bip_39(octets: bytes, words: str) -> None:
    """Test vectors of python-mnemonic, https://github.com/trezor/python-mnemonic/blob/master/vectors.json."""
    assert words_of(octets) == tuple(words.split())


def test_four_letters_name_each_word() -> None:
    words = word_list()
    assert len(words) == len({word[:4] for word in words}) == 2_048
    assert list(words) == sorted(words)


def test_another_digest_has_other_words_and_digits() -> None:
    one, other = spoken(DIGEST), spoken(OTHER)
    assert (len(one.words), len("".join(one.digits)), {len(group) for group in one.digits}) == (12, 40, {5})
    assert one == spoken(DIGEST)
    assert one.words != other.words
    assert one.digits != other.digits


def test_words_are_taken_as_people_give_them() -> None:
    """In capitals, with commas, by four letters; digits with blanks, hyphens or neither."""
    said = spoken(DIGEST)
    check_spoken(DIGEST, said.sentence)
    check_spoken(DIGEST, ", ".join(said.words).upper())
    check_spoken(DIGEST, " ".join(word[:4] for word in said.words))
    check_spoken(DIGEST, said.number)
    check_spoken(DIGEST, "-".join(said.digits))


@pytest.mark.parametrize("form", ["words", "digits"])
def test_words_of_another_digest_are_refused(form: str) -> None:
    heard = " ".join(getattr(spoken(OTHER), form))
    with pytest.raises(PolicyError) as caught:
        check_spoken(DIGEST, heard)
    assert caught.value.sentence.code == "spoken_words_differ"


@pytest.mark.parametrize(
    ("heard", "code"),
    [
        ("abandon " * 12, "spoken_words_misheard"),
        ("abandon " * 11, "spoken_words_not_all"),
        ("", "spoken_words_not_all"),
        ("abandon " * 11 + "slovenia", "spoken_word_unknown"),
        ("abandon " * 11 + "abo", "spoken_word_unknown"),
        ("1" * 39, "spoken_digits_misheard"),
        ("9" * 40, "spoken_digits_misheard"),
    ],
)
def test_a_mistake_of_hearing_is_named(heard: str, code: str) -> None:
    """A word that is not on the list, one too few, a checksum that does not fit, digits that are too many."""
    with pytest.raises(InputError) as caught:
        check_spoken(DIGEST, heard)
    assert caught.value.sentence.code == code
