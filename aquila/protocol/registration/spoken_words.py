"""Digests as words or digits that people compare by telephone (PROTOCOL.md 11.2).

Sixteen bytes become twelve words of BIP-39, whose last one holds a checksum, so that a word that was misheard is told
from another digest. The same bytes are also shown as forty digits in groups of five, which every language reads aloud.

Whoever makes a false registry may choose keys of its own on both sides and search for two registries with the same
words. So the bytes are made from the digest by scrypt: each attempt costs memory and time.
"""

import hashlib
import hmac
import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

from aquila.errors import InputError, PolicyError

_BYTES = 16
_WORDS = 12
_WORD_BITS = 11
_CHECKSUM_BITS = 4
_LETTERS = 4
_DIGITS = 40
_GROUP = 5
_SALT = b"aquila/2 spoken words"
_MEMORY = 64 << 20


@dataclass(frozen=True, slots=True)
class Spoken:
    """A digest as it is read aloud."""

    words: tuple[str, ...]
    """Twelve words."""
    digits: tuple[str, ...]
    """Eight groups of five digits, the same value."""

    @property
    def sentence(self) -> str:
        return " ".join(self.words)

    @property
    def number(self) -> str:
        return " ".join(self.digits)


@lru_cache(maxsize=64)
def spoken(digest: str) -> Spoken:
    """Return the words and the digits of a digest of 64 hexadecimal digits."""
    octets = hashlib.scrypt(bytes.fromhex(digest), salt=_SALT, n=1 << 14, r=8, p=1, maxmem=_MEMORY, dklen=_BYTES)
    number = str(int.from_bytes(octets, "big")).zfill(_DIGITS)
    return Spoken(words_of(octets), tuple(number[at : at + _GROUP] for at in range(0, _DIGITS, _GROUP)))


def words_of(octets: bytes) -> tuple[str, ...]:
    """Return the twelve words of sixteen bytes (BIP-39)."""
    value = int.from_bytes(octets, "big") << _CHECKSUM_BITS | _checksum(octets)
    listed, mask = word_list(), (1 << _WORD_BITS) - 1
    return tuple(listed[value >> _WORD_BITS * place & mask] for place in reversed(range(_WORDS)))


def check_spoken(digest: str, heard: str) -> None:
    """Compare what somebody read aloud with a digest.

    Args:
        digest: 64 hexadecimal digits.
        heard: The twelve words, of each at least the first four letters, or the forty digits; case, commas and blanks
            do not matter.

    Raises:
        InputError: These are neither words nor digits of any digest: something was misheard or left out.
        PolicyError: They are those of another digest.
    """
    if not hmac.compare_digest(_octets_of(spoken(digest).sentence), _octets_of(heard)):
        raise PolicyError("spoken_words_differ")


@cache
def word_list() -> tuple[str, ...]:
    content = resources.files(__package__).joinpath("spoken_words.toml").read_text("utf-8")
    return tuple(tomllib.loads(content)["words"].split())


def _octets_of(heard: str) -> bytes:
    """Return the sixteen bytes of words or digits; raises as `check_spoken` does."""
    parts = heard.lower().replace(",", " ").replace("-", " ").split()
    if "".join(parts).isdecimal():
        digits = "".join(parts)
        value = int(digits)
        if len(digits) != _DIGITS or value >> 8 * _BYTES:
            raise InputError("spoken_digits_misheard", expected=_DIGITS, got=len(digits))
        return value.to_bytes(_BYTES, "big")
    if len(parts) != _WORDS:
        raise InputError("spoken_words_not_all", expected=_WORDS, got=len(parts))
    value = 0
    for place, part in enumerate(parts, 1):
        value = value << _WORD_BITS | _number_of(part, place)
    octets = (value >> _CHECKSUM_BITS).to_bytes(_BYTES, "big")
    if _checksum(octets) != value & (1 << _CHECKSUM_BITS) - 1:
        raise InputError("spoken_words_misheard")
    return octets


def _number_of(part: str, place: int) -> int:
    """Return the number of the word that a text or its first four letters mean."""
    listed = word_list()
    found = [word for word in listed if word == part or (len(part) >= _LETTERS and word.startswith(part))]
    if len(found) != 1:
        raise InputError("spoken_word_unknown", place=place)
    return listed.index(found[0])


def _checksum(octets: bytes) -> int:
    return hashlib.sha256(octets).digest()[0] >> 8 - _CHECKSUM_BITS
