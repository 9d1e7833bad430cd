"""Papers as PDF, set by typst: the letter of a follow-up. The same letter gives the same bytes."""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING

import typst

if TYPE_CHECKING:
    from aquila.protocol.messages.followup_views import LetterView


def pdf(letter: LetterView) -> bytes:
    """Return a letter as an accessible PDF. Its texts reach the typesetter as values and are never read as markup."""
    content = {"lines": letter.lines, "paragraphs": paragraphs(letter)}
    return compiled("letter.typ", content)


def compiled(template: str, content: object) -> bytes:
    """Set a template with its content; without the machine's fonts and without a date, so that bytes are stable."""
    source = resources.files("clients.web").joinpath("papers", template).read_bytes()
    made: bytes = typst.compile(
        source,
        format="pdf",
        ignore_system_fonts=True,
        sys_inputs={"content": json.dumps(content, ensure_ascii=False)},
        pdf_standards=["ua-1"],
    )
    return made


def paragraphs(letter: LetterView) -> list[str]:
    """Return the letter's body: what follows its title and its head, each paragraph as one line."""
    return [part.replace("\n", " ").strip() for part in letter.text.split("\n\n")[2:] if part.strip()]
