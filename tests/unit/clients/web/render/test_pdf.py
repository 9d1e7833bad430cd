"""The letter of a follow-up as a PDF: all lines of its head stand in it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aquila.interface.hits import LetterView
from aquila.visible import visible
from clients.web.render import pdf
from tests.support.letter_example import LETTER


def test_references_of_both_sides_reach_the_paper() -> None:
    """Each of the two references changes the PDF; the same letter gives the same bytes."""
    made = [
        replace(LETTER, own_number=own, other_number=other)
        for own in ("", "AL-1234-5678-9ABC")
        for other in ("", "RS-1234-5678-9ABC")
    ]
    papers = [pdf.pdf(LetterView(text=letter.text(), lines=letter.lines())) for letter in made]
    assert len(set(papers)) == 4
    assert all(paper.startswith(b"%PDF") for paper in papers)
    assert papers[3] == pdf.pdf(LetterView(text=made[3].text(), lines=made[3].lines()))


@pytest.mark.parametrize("text", ["\u738b \u5927", "\U0001f600", "\u202egnp", "\u0531 \u738b \u0645"])
def test_a_letter_that_no_font_has_is_named(text: str) -> None:
    """The paper is made all the same; what the fonts have stays beside it."""
    paper = pdf.pdf(LetterView(text=f"T\n\nhead\n\n{text}", lines=(("Area", text),)))
    assert paper.startswith(b"%PDF")
    named = "".join(letter if pdf._has_font(letter) else f"[U+{ord(letter):04X}]" for letter in visible(text))
    assert paper == pdf.pdf(LetterView(text=f"T\n\nhead\n\n{named}", lines=(("Area", named),)))
    assert named != text
