"""The letter of a follow-up as a PDF: all lines of its head stand in it."""

from __future__ import annotations

from dataclasses import replace

from aquila.protocol.messages.followup_views import LetterView
from clients.web import letters
from tests.unit.aquila.followup.test_letter import LETTER


def test_references_of_both_sides_reach_the_paper() -> None:
    """Each of the two references changes the PDF; the same letter gives the same bytes."""
    made = [
        replace(LETTER, own_number=own, other_number=other)
        for own in ("", "AL-1234-5678-9ABC")
        for other in ("", "RS-1234-5678-9ABC")
    ]
    papers = [letters.pdf(LetterView(text=letter.text(), lines=letter.lines())) for letter in made]
    assert len(set(papers)) == 4
    assert all(paper.startswith(b"%PDF") for paper in papers)
    assert papers[3] == letters.pdf(LetterView(text=made[3].text(), lines=made[3].lines()))
