"""Pictures and papers: numbers that can be read without colour, no markup from texts, stable bytes."""

from xml.etree import ElementTree as ET

import pytest

from clients.web.render import pdf
from clients.web.render.charts import Amount, Share, WaterfallStep, bars, heat_map, region, shares, stacked, waterfall
from clients.web.text.request_letter import ComposedLetter

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>alert(1)</script>#let"
CELLS = {("AL", "RS"): Amount("1,120", 1_120), ("AL", "SI"): Amount("1-4"), ("RS", "SI"): Amount("0")}


def texts(drawing: str) -> list[str]:
    return [node.text or "" for node in ET.fromstring(drawing).iter(f"{SVG}text")]


def per_cent(node: ET.Element, name: str = "width") -> float:
    return float(node.get(name, "").removesuffix("%"))


def test_heat_map() -> None:
    """Every number stands in its cell, a small one in a hollow one, and a pair that is not compared is a dash."""
    drawing = heat_map("Hits", ["AL", "MK", "RS", "SI"], CELLS)
    found = texts(drawing)
    assert (found.count("1,120"), found.count("1-4"), found.count("0"), found.count("-")) == (1, 1, 1, 3)
    assert drawing.count('class="hollow"') == 1


def test_region() -> None:
    """A party is at its place with its number; arcs are thick by their hits, dashed for few, and none for none."""
    parties = {"AL": Amount("1,120", 1_120), "RS": Amount("1,125", 1_125), "SI": Amount("5", 5), "XX": Amount("0")}
    drawing = ET.fromstring(region("Hits", parties, CELLS | {("RS", "XX"): Amount("10", 10)}))
    arcs = {node.findtext(f"{SVG}title"): node.attrib for node in drawing.iter(f"{SVG}path")}
    assert set(arcs) == {"AL - RS: 1,120", "AL - SI: 1-4", "RS - XX: 10"}
    assert [words for words, arc in arcs.items() if "stroke-dasharray" in arc] == ["AL - SI: 1-4"]
    assert float(arcs["AL - RS: 1,120"]["stroke-width"]) > float(arcs["RS - XX: 10"]["stroke-width"])
    circles = [(float(node.get("cx", "")), float(node.get("cy", ""))) for node in drawing.iter(f"{SVG}circle")]
    assert len(set(circles)) == 4
    (_, albania), (_, serbia), (slovenia, _), _ = circles
    assert albania > serbia
    assert slovenia == min(x for x, _ in circles[:3])
    assert {"AL", "RS", "SI", "XX", "1,120", "1,125", "5", "0"} == {node.text for node in drawing.iter(f"{SVG}text")}
    assert texts(region("Hits", {}, {})) == []


def test_stacked() -> None:
    """Parts follow one another, and a line joins the marks of the rows that have one."""
    parts = [Amount("100", 100), Amount("1-4"), Amount("50", 50)]
    drawing = stacked("Trend", [("May", parts, 75), ("June", parts[:1], None), ("July", parts, 150)])
    assert {"100 + 1-4 + 50", "100", "May", "June", "July"} == set(texts(drawing))
    found = ET.fromstring(drawing)
    first, _, third = [node for node in found.iter(f"{SVG}rect") if node.get("y") == "29.0"]
    assert per_cent(first) == pytest.approx(2 * per_cent(third), rel=0.02)
    assert len(list(found.iter(f"{SVG}circle"))) == 2
    assert len(list(found.iter(f"{SVG}line"))) == 1


def test_legend() -> None:
    """Each part of a bar has a shade of its own and its words above; a line has words where it is drawn."""
    names = [f"part {number} of a bar" for number in range(5)]
    drawing = stacked("Outcomes", [("high", [Amount("10", 10)] * 5, None)], names, "a line")
    assert set(names) <= set(texts(drawing))
    assert "a line" not in texts(drawing)
    shades = [node.get("class") for node in ET.fromstring(drawing).findall(f"{SVG}rect")[1:]]
    assert shades[:5] == shades[5:]
    assert len(set(shades)) == 5
    assert "a line" in texts(stacked("Trend", [("May", [Amount("10", 10)], 5)], names, "a line"))


def test_full_bars() -> None:
    """A bar of a share is as long as its share, and a mark beyond all bars stays in the picture."""
    whole = ET.fromstring(bars("Fields", [("sex", Amount("50 %", 50))], 100)).findall(f"{SVG}rect")[1]
    half = ET.fromstring(bars("Fields", [("sex", Amount("50 %", 50))])).findall(f"{SVG}rect")[1]
    assert per_cent(half) == pytest.approx(2 * per_cent(whole), rel=0.01)
    drawing = ET.fromstring(stacked("Trend", [("May", [Amount("10", 10)], 20)]))
    [point] = drawing.iter(f"{SVG}circle")
    assert per_cent(point, "cx") < 100


def test_long_words_of_a_bar() -> None:
    """They are wrapped above it, and stay beside their number, where a telephone shows them."""
    words = "what another party asked about, and nobody has answered"
    drawing = ET.fromstring(bars("Work", [(words, Amount("1,234", 1_234))]))
    [*lines, number] = drawing.iter(f"{SVG}text")
    assert " ".join(line.text or "" for line in reversed(lines)) == words
    assert all(len(f"{line.text}{number.text}") <= 34 for line in lines)
    assert (lines[0].get("y"), number.get("x")) == (number.get("y"), "100%")
    assert "viewBox" not in drawing.attrib


def test_shares() -> None:
    """A share's point lies within its interval, and the mark of its promise where that is."""
    found = ET.fromstring(shares("Right", [Share("high", 98, 95, 99, 99), Share("low", 50, 20, 80, 50)]))
    points = [per_cent(node, "cx") for node in found.iter(f"{SVG}circle")]
    ranges = [(per_cent(node, "x"), per_cent(node)) for node in found.findall(f"{SVG}rect")[1:]]
    for point, (start, width) in zip(points, ranges, strict=True):
        assert start < point < start + width
    promises = [per_cent(node, "x1") for node in found.iter(f"{SVG}line") if node.get("class") == "mark"]
    assert promises[1] == points[1]
    assert "viewBox" not in found.attrib


def test_bars() -> None:
    assert "90 %" in texts(bars("Right", [("high", Amount("90 %", 90))]))
    assert "<5" in texts(bars("Known", [("3", Amount("<5"))]))
    assert texts(bars("Known", [])) == []
    assert texts(heat_map("Hits", [], {})) == []


def test_waterfall() -> None:
    """A bar begins where the one before ended, one that lowers is hollow, words are wrapped, borders are lines."""
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
    assert drawing.count('class="hollow"') == 2
    assert drawing.count('class="mark"') == 2
    assert texts(waterfall("Nothing", [], WaterfallStep("", 0, "0"), [])) == ["", "0"]


def test_pictures_obey_the_policy() -> None:
    """No style, no script, no foreign address; a text is never markup."""
    drawing = bars(HOSTILE, [(HOSTILE, Amount("1", 1))]) + heat_map("x", [HOSTILE], {})
    drawing += waterfall(HOSTILE, [], WaterfallStep(HOSTILE, 1, HOSTILE), [(HOSTILE, 1)])
    drawing += region(
        HOSTILE, {HOSTILE: Amount(HOSTILE, 1), "AL": Amount("1", 1)}, {("AL", HOSTILE): Amount(HOSTILE, 1)}
    )
    drawing += stacked(HOSTILE, [(HOSTILE, [Amount(HOSTILE, 1)], 1)]) + shares(HOSTILE, [Share(HOSTILE, 1, 1, 1, 1)])
    assert "<script" not in drawing
    assert "style=" not in drawing
    assert drawing.count("http") == drawing.count('xmlns="http://www.w3.org/2000/svg"')


@pytest.mark.parametrize("text", [HOSTILE, "#panic()", "$x$ *b* _i_ @a <l>", "Đorđević Ђорђевић Dëshmitar"])
def test_papers(text: str) -> None:
    """A PDF is made of any text, which the typesetter never reads as markup, and is the same each time."""
    drawn = bars(text, [(text, Amount("3", 3))])
    content = {
        "title": text,
        "language": "en",
        "category": text,
        "round": text,
        "certainty": text,
        "rule": text,
        "pictures": [
            {"title": text, "svg": drawn, "columns": [text, text], "rows": [[text, "3"]], "note": text},
            {"title": text, "svg": "", "columns": [text], "rows": [[text]], "note": ""},
        ],
    }
    paper = pdf.compiled("picture.typ", content, "")
    assert paper.startswith(b"%PDF")
    assert paper == pdf.compiled("picture.typ", content, "")
    version = ComposedLetter("en", text, [("To", text)], [text, text], text, text)
    letter = pdf.compiled("letter.typ", {"versions": [version._asdict()]}, "")
    assert letter.startswith(b"%PDF")
