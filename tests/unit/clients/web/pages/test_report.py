"""The annual report: a tagged PDF in the reader's language, and a signature that the documented command checks."""

import io
import json
import re
import zipfile
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from aquila.audit.roles import Service
from aquila.interface.statistics import AnnualReport, RegionalPicture
from aquila.protocol.encoding import canonical
from clients.cli.main import main
from clients.web.i18n.languages import languages
from clients.web.pages.report import _findings
from tests.unit.clients.web.test_growth import PARTIES, TITLE, english, picture, round_id, visiting

DAYS = {"since": "2026-01-01", "until": "2026-12-31"}


def report(place: Any, *pictures: bytes) -> bytes:
    place.log.own.publish()
    log = place.log.view()
    found = {
        **DAYS,
        "pictures": list(map(json.loads, pictures)),
        "rounds": [
            {
                "round_id": round_id(number),
                "title": TITLE,
                "category": "suspects",
                "legal_basis": "Regulation (EU) 2024/982",
                "purpose": "p",
                "parties": PARTIES,
                "matched_at": 1_800_000_000,
                "proposal_entry": 7 + number,
                "first_match_entry": 4_100,
                "last_match_entry": 4_166,
                "ending_entry": None,
            }
            for number in range(12 if pictures else 0)
        ],
        "issued_at": 1_800_000_000,
        "matcher_fingerprint": place.log.own.key.public.fingerprint,
        "log_origin": log.origin,
        "log_size": log.size,
        "log_root": "ab" * 32,
        "witnesses": [{"witness": "AL", "size": 4_100, "at": 1_800_000_000}] if pictures else [],
    }
    return canonical(AnnualReport.model_validate(found).model_dump(mode="json"))


async def test_a_report_is_published(matcher: Any, homes: Path, tmp_path: Path) -> None:
    """Of twelve parties and of none, in each script: accessible, and checked by the command that stands in it."""
    answers: dict[str, bytes] = {}
    async with visiting(matcher, Service.MATCHER, "secretariat", answers) as browser:
        papers = []
        for language, pictures in (("sr-Cyrl", [picture()]), ("en", [picture()]), ("sq", [])):
            await browser.send("/language", tag=language, back="/account")
            await browser.open("/statistics")
            answers["/v1/operator/report"] = report(matcher, *pictures)
            await browser.send("/report.zip", **DAYS)
            assert browser.answer.status_code == 200, browser.page
            archive = zipfile.ZipFile(io.BytesIO(browser.answer.content))
            archive.extractall(tmp_path)
            assert archive.namelist() == ["annual-report.pdf", "annual-report.pdf.signature.json"]
            paper = (tmp_path / "annual-report.pdf").read_bytes()
            papers.append(paper)
            for mark in (
                b"%PDF-1.7",
                b"/StructTreeRoot",
                b"/MarkInfo",
                b"pdfuaid:part",
                f"/Lang({language[:2]})".encode(),
            ):
                assert mark in paper
            assert paper.count(b"/S/Figure") == paper.count(b"/Alt") == (7 if pictures else 0)
            assert len(re.findall(rb"/S/TH\b", paper)) == paper.count(b"/Scope") > 0
            levels = [1, *map(int, re.findall(rb"/S/H(\d)", paper))]
            assert all(after <= before + 1 for before, after in pairwise(levels))
            command = ["audit", "report", str(tmp_path / "annual-report.pdf")]
            command += ["--signature", str(tmp_path / "annual-report.pdf.signature.json")]
            command += ["--registry", str(homes / "matcher" / "registry.toml")]
            assert main(command) == 0
        assert len(set(papers)) == 3
        (tmp_path / "annual-report.pdf").write_bytes(papers[0])
        assert main(command) == 1
        await english(browser, "/statistics")
        for days in ({"since": "2026-12-31", "until": "2026-01-01"}, {"since": "", "until": "2026-01-01"}):
            await browser.send("/report.zip", **days)
            assert browser.answer.status_code == 422


@pytest.mark.parametrize(
    ("refuted", "said"),
    [((10, 0, 5), "900 times that a hit is right, and 15 times"), ((10, 0, "<5"), ""), (("<5", "<5", "<5"), "")],
)
def test_a_sum_is_said_where_all_of_it_is_published(refuted: tuple[Any, ...], said: str) -> None:
    """Three levels of less than 5 may be 12: no sentence says less than 5 of all, or 10 of 10 and something."""
    found = json.loads(picture())
    one = found["round"]
    for of, confirmed, wrong in zip(one["outcomes"], (900, 0, 0), refuted, strict=True):
        of |= {"confirmed": confirmed, "refuted": wrong}
    english = languages()["en"]
    visit: Any = SimpleNamespace(language=english, say=english.say, category=str)
    text = list(_findings(visit, RegionalPicture.model_validate(found)))
    assert said in "".join(one for one in text if "parties said" in one)
    assert any("parties said" in one for one in text) is bool(said)


def test_persons_of_whom_some_counts_are_small() -> None:
    """Where those known to four or more are published as less than 5, the sum says that it may be more."""
    found = json.loads(picture())
    found["round"]["known"] = [
        {"certainty": "low", "parties": parties, "persons": persons} for parties, persons in ((3, 40), (4, "<5"))
    ]
    english = languages()["en"]
    visit: Any = SimpleNamespace(language=english, say=english.say, category=str)
    text = "".join(_findings(visit, RegionalPicture.model_validate(found)))
    assert "about 40 persons or a few more are known to three or more." in text
