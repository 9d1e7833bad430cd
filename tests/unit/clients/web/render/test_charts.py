"""Pictures and papers: numbers that can be read without colour, no markup from texts, stable bytes."""

from xml.etree import ElementTree as ET

import pytest

from clients.web.render import pdf
from clients.web.render.charts import Amount, WaterfallStep, bars, heat_map, waterfall
from clients.web.text.request_letter import ComposedLetter

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>alert(1)</script>#let"
CELLS = {("AL", "RS"): Amount("1,120", 1_120), ("AL", "SI"): Amount("1-4"), ("RS", "SI"): Amount("0")}


def texts(drawing: str) -> list[str]:
    return [node.text or "" for node in ET.fromstring(drawing).iter(f"{SVG}text")]


def test_heat_map() -> None:
    """Every number stands in its cells as text, small ones on a pattern, and a pair that is not compared as a dash."""
    drawing = heat_map("Hits", ["AL", "MK", "RS", "SI"], CELLS)
    found = texts(drawing)
    assert (found.count("1,120"), found.count("1-4"), found.count("0"), found.count("-")) == (2, 2, 2, 6)
    assert drawing.count("url(#small)") == 2


def test_bars() -> None:
    assert "90 %" in texts(bars("Right", [("high", Amount("90 %", 90))], 100))
    assert "<5" in texts(bars("Known", [("3", Amount("<5"))]))
    assert texts(bars("Known", [])) == []
    assert texts(heat_map("Hits", [], {})) == []


def test_waterfall() -> None:
    """A bar begins where the one before ended, one that lowers is hatched, words are wrapped, borders are lines."""
    long = "a given and a family name agree by their consonants, or as known variants of each other"
    steps = [WaterfallStep("prior", -8, "-8"), WaterfallStep(long, 12, "+12"), WaterfallStep("nothing", -1, "-1")]
    drawing = waterfall("Weights", steps, WaterfallStep("together", 3, "+3"), [("low", 0), ("high", 6.6)])
    found = texts(drawing)
    assert {"prior", "-8", "+12", "together", "+3", "low", "high"} <= set(found)
    assert long not in found
    assert long == " ".join(text for text in found if text in long)
    bars_ = [
        (float(one.get("x", "")), float(one.get("width", "")))
        for one in ET.fromstring(drawing).findall(f"{SVG}rect")[1:]
    ]
    (first, length), (second, other), *_ = bars_
    assert first == pytest.approx(second, abs=0.2)
    assert other == pytest.approx(length * 12 / 8, abs=0.2)
    assert drawing.count("url(#small)") == 2
    assert drawing.count("stroke-dasharray") == 2
    assert texts(waterfall("Nothing", [], WaterfallStep("", 0, "0"), [])) == ["", "0"]


def test_pictures_obey_the_policy() -> None:
    """No style, no script, no foreign address; a text is never markup."""
    drawing = bars(HOSTILE, [(HOSTILE, Amount("1", 1))]) + heat_map("x", [HOSTILE], {})
    drawing += waterfall(HOSTILE, [], WaterfallStep(HOSTILE, 1, HOSTILE), [(HOSTILE, 1)])
    assert "<script" not in drawing
    assert "style=" not in drawing
    assert drawing.count("http") == drawing.count('xmlns="http://www.w3.org/2000/svg"')


@pytest.mark.parametrize("text", [HOSTILE, "#panic()", "$x$ *b* _i_ @a <l>", "Đorđević Ђорђевић Dëshmitar"])
def test_papers(text: str) -> None:
    """A PDF is made of any text, which the typesetter never reads as markup, and is the same each time."""
    drawn = bars(text, [(text, Amount("3", 3))])
    content = {
        "title": text,
        "category": text,
        "round": text,
        "certainty": text,
        "rule": text,
        "pictures": [{"title": text, "svg": drawn, "rows": [[text, "3"]]}],
    }
    paper = pdf.compiled("picture.typ", content, "")
    assert paper.startswith(b"%PDF")
    assert paper == pdf.compiled("picture.typ", content, "")
    version = ComposedLetter("en", text, [("To", text)], [text, text], text, text)
    letter = pdf.compiled("letter.typ", {"versions": [version._asdict()]}, "")
    assert letter.startswith(b"%PDF")
