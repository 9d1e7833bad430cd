"""The letter of a follow-up as a PDF: all lines of its head stand in it."""

import re
from dataclasses import replace

import pytest

from aquila.visible import visible
from clients.web.i18n.languages import languages
from clients.web.render import charts, pdf
from clients.web.render.charts import Amount
from clients.web.text.request_letter import ComposedLetter, versions
from tests.support.letter_example import LETTER, head_of

ENGLISH = languages()["en"]


def test_references_of_both_sides_reach_the_paper() -> None:
    """Each of the two references changes the PDF; the same letter gives the same bytes."""
    made = [
        replace(LETTER, hits=(replace(LETTER.hits[0], own_number=own, other_number=other),))
        for own in ("", "AL-1234-5678-9ABC")
        for other in ("", "RS-1234-5678-9ABC")
    ]
    papers = [pdf.pdf(letter.view(), ENGLISH) for letter in made]
    assert len(set(papers)) == 4
    assert all(paper.startswith(b"%PDF") for paper in papers)
    assert papers[3] == pdf.pdf(made[3].view(), ENGLISH)


@pytest.mark.parametrize("text", ["\u738b \u5927", "\U0001f600", "\u202egnp", "\u0531 \u738b \u0645"])
def test_a_letter_that_no_font_has_is_named(text: str) -> None:
    """The paper is made all the same; what the fonts have stays beside it."""

    def letter_with(said: str) -> bytes:
        made = ComposedLetter("en", "T", [("Area", said)], [said], "-", "-")
        return pdf.compiled("letter.typ", {"versions": [made._asdict()]}, "")

    paper = letter_with(text)
    assert paper.startswith(b"%PDF")
    named = "".join(letter if pdf._has_font(letter) else f"[U+{ord(letter):04X}]" for letter in visible(text))
    assert paper == letter_with(named)
    assert named != text


@pytest.mark.parametrize("template", ["hits.typ", "letter.typ", "picture.typ"])
def test_each_paper_has_the_mark_of_practice(template: str) -> None:
    """Every template takes a mark; without one the paper is another."""
    content = {
        "title": "T",
        "language": "en",
        "subtitle": "",
        "warning": "",
        "columns": ["A"] * 9,
        "rows": [],
        "category": "",
        "round": "",
        "certainty": "",
        "rule": "",
        "pictures": [],
        "versions": [ComposedLetter("sq", "T", [], [], "", "")._asdict()],
    }
    plain, marked = pdf.compiled(template, content, ""), pdf.compiled(template, content, "Practice.")
    assert plain != marked
    assert len(marked) > len(plain)


def test_a_long_table_of_a_picture_goes_on_on_the_next_sheet() -> None:
    """Ninety pairs are on more than one sheet, none of them empty; a short table stays with its high drawing."""

    def sheets(rows: int, svg: str = "") -> int:
        picture = {"title": "T", "svg": svg, "columns": ["P", "H"], "rows": [["AL - RS", "5"]] * rows, "note": ""}
        content = {"title": "T", "language": "en", "category": "", "round": "", "certainty": "", "rule": ""}
        paper = pdf.compiled("picture.typ", content | {"pictures": [picture]}, "")
        found = re.search(rb"/Type/Pages/Count (\d+)", paper)
        assert found
        return int(found[1])

    parties = [f"P{number}" for number in range(12)]
    high = charts.grid("T", parties, ["2026-04"], {(party, "2026-04"): Amount("9", 9) for party in parties})
    assert (sheets(12), sheets(66), sheets(90), sheets(12, high)) == (1, 1, 2, 1)


def test_a_letter_of_practice_says_so_everywhere() -> None:
    """Title, head, body, subject and the receiver's language have it; the paper has the mark."""
    letter = replace(LETTER, practice=True).view()
    assert letter.text.startswith("PRACTICE, NOT REAL: ")
    assert next(iter(head_of(letter))) == "Practice"
    assert letter.message.subject.startswith("Practice, not real: ")
    assert "invented persons" in letter.message.body[0]
    language = languages()["sr-Cyrl"]
    _, translated = versions(letter, ENGLISH)
    assert translated.title == language.compose(letter.title.sentence) != letter.title.text
    assert translated.lines[0][0] == language.say("Practice")
    assert pdf.pdf(letter, ENGLISH) != pdf.pdf(letter.model_copy(update={"practice": False}), ENGLISH)
