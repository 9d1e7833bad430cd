"""Countries by the code of three letters, whatever code or name a list writes for them.

The rows are those of the table `countries`. What no row knows stays a text, folded as a name is, so that two lists with
the same unknown text still meet.
"""

import unicodedata
from functools import cache, lru_cache

from aquila.records.normalize.names import part_words, table, to_latin, without_unseen

_CACHED = 1 << 12


@lru_cache(maxsize=_CACHED)
def country(text: str) -> str:
    """Return a country's code of three capital letters; else the text, folded and in small letters."""
    written, folded, latin = _known()
    plain, words = _plain(text), " ".join(part_words(text))
    return written.get(plain) or folded.get(words) or latin.get(to_latin(plain)) or words or plain


@cache
def _known() -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """The code of each text of the table as it is written, as its words fold, and in Latin letters.

    A text as it is written comes first: AL is Albania's code, and an article among the words of a name. In Latin
    letters a text comes last: Egypt's own name is Montserrat's code there.
    """
    written: dict[str, str] = {}
    folded: dict[str, str] = {}
    latin: dict[str, str] = {}
    for code, texts in table("countries")["countries"].items():
        written.update({_plain(text): code for text in (code, *texts)})
        words = [part_words(text) for text in texts]
        folded.update({" ".join(found): code for found in words if found})
        latin[to_latin(code)] = code
    return written, folded, latin


def _plain(text: str) -> str:
    """A text without case, and without blanks around it."""
    return unicodedata.normalize("NFKC", without_unseen(text)).strip().casefold()
