"""Papers as PDF, set by typst: the letter of a follow-up. The same letter gives the same bytes."""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources

import typst

from aquila.interface.hits import LetterView
from aquila.visible import visible
from clients.web.i18n.languages import Language
from clients.web.text.labels import PRACTICE
from clients.web.text.request_letter import ComposedLetter, versions

_RARE = re.compile(r"[^\x00-\u052f\u2000-\u206f]")  # what is not Latin, Greek, Cyrillic or a common sign


def pdf(letter: LetterView, language: Language) -> bytes:
    """Return a letter as an accessible PDF in a person's language, with the receiver's, if another, on a second page.

    Its texts reach the typesetter as values and are never read as markup.
    """
    made = [version._asdict() for version in versions(letter, language)]
    return compiled("letter.typ", {"versions": made}, PRACTICE if letter.practice else "")


def compiled(template: str, content: Mapping[str, object], mark: str) -> bytes:
    """Set a template with its content; a letter that a reader does not see, or no font has, is named in its place.

    Args:
        content: Texts in lists and tables, as JSON has them.
        mark: Stands at the top of each page and across it; nothing on a paper about real persons.
    """
    seen = visible(json.dumps({**content, "mark": mark}, ensure_ascii=False))
    try:
        return _set(template, seen)
    except typst.TypstError:
        return _set(template, _RARE.sub(_in_a_font, seen))


@lru_cache(maxsize=4_096)
def _has_font(letter: str) -> bool:
    try:
        one = ComposedLetter("en", "-", [], [letter], "-", "-")
        _set("letter.typ", json.dumps({"versions": [one._asdict()], "mark": ""}, ensure_ascii=False))
    except typst.TypstError:
        return False
    return True


def _in_a_font(found: re.Match[str]) -> str:
    """Return a letter, or its name where no font has it."""
    return found[0] if _has_font(found[0]) else f"[U+{ord(found[0]):04X}]"


def _set(template: str, content: str) -> bytes:
    """Set a template without the machine's fonts and without a date, so that bytes are stable."""
    folder = resources.files("clients.web.render").joinpath("typst")
    source = folder.joinpath("mark.typ").read_bytes() + folder.joinpath(template).read_bytes()
    made: bytes = typst.compile(
        source, format="pdf", ignore_system_fonts=True, sys_inputs={"content": content}, pdf_standards=["ua-1"]
    )
    return made
