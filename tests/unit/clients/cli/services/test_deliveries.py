"""`aquila records deliveries` and `import-delivery`: what they ask and what they show."""

from __future__ import annotations

import httpx
import pytest

from aquila.errors import InputError
from aquila.interface.sentence import SentenceView
from aquila.sentences import Sentence
from clients.cli.exit_codes import ExitCode
from clients.cli.main import main
from services.kit.errors import problem_of
from tests.support.reached_service import answer_commands

WAITS, GROWS = "d" * 32, "e" * 32
FINDING = {
    "line": 3, "field": "", "severity": "refusal", "record_id": "a-3",
    "reason": SentenceView.of(Sentence.of("record_fields_too_few")).model_dump(mode="json"),
}  # fmt: skip
GROUP = {name: FINDING[name] for name in ("line", "field", "severity", "reason")} | {"count": 1, "example": ""}
REPORT = {"import_id": None, "name": "", "accepted": 2, "refused": 1, "warnings": 0, "groups": [GROUP],
          "findings": [FINDING], "findings_left_out": 0, "rules": [], "duplicates": 0, "sample": [], "layout": None,
          "prospects": {"usual_names": 40, "usual_percent": 70, "found": [
              {"sentence": "the date agrees", "level": "medium"}, {"sentence": "", "level": None}]}}  # fmt: skip
LAYOUT = {"format": "csv", "encoding": "utf-8", "is_guess": False, "sheet": None, "sheets": [],
          "headings": ["name", "born"], "columns": [None, None]}  # fmt: skip


class Service:
    """Answers as a node does, and remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.refuses = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a call."""
        self.asked.append((request.url.path, dict(request.url.params)))
        if request.url.path == "/v1/deliveries":
            unsettled = SentenceView.of(Sentence.of("delivery_unsettled", seconds=60)).model_dump(mode="json")
            one = {"delivery_id": WAITS, "name": "nightly.csv", "size": 2_048, "written_at": 1_800_000_000}
            other = {"delivery_id": GROWS, "name": "growing.csv", "size": 1, "written_at": 1, "problem": unsettled}
            return httpx.Response(200, json={"deliveries": [one, other], "left_out": 3})
        if request.url.path == "/v1/records/recognize":
            return httpx.Response(200, json=LAYOUT)
        if request.url.path == "/v1/imports" and self.refuses:
            problem = problem_of(InputError("list_rows_refused", accepted=2, refused=1))
            return httpx.Response(422, json=problem, headers={"content-type": "application/problem+json"})
        stored = {"import_id": "f" * 32} if request.url.path == "/v1/imports" else {}
        return httpx.Response(200, json=REPORT | {"name": request.url.params.get("name", "")} | stored)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    """A node that the commands reach."""
    made = Service()

    answer_commands(monkeypatch, made)
    return made


def test_what_waits_is_listed(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    """With its id, and why it cannot be read now; how many older ones there are is said."""
    assert main(["records", "deliveries", "--home", "node"]) == ExitCode.DONE
    shown = capsys.readouterr().out
    for text in (WAITS[:8], GROWS[:8], "nightly.csv", "growing.csv", "2048", "less than 60 seconds ago"):
        assert text in shown
    assert "3 older files not shown." in shown
    assert [path for path, _ in service.asked] == ["/v1/deliveries"]


def test_a_delivery_is_stored_under_its_files_name(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    """Or another one, with the columns that were named; nothing of its content is sent."""
    assert main(["records", "import-delivery", WAITS[:8], "--home", "node"]) == ExitCode.DONE
    assert service.asked[-1] == ("/v1/imports", {"name": "nightly.csv", "accept_refused": "false", "delivery": WAITS})
    assert f"Import {'f' * 32} is stored." in capsys.readouterr().out
    options = ["--name", "autumn", "--accept-refused", "--column", "name=full_name", "--column", "born=date_of_birth"]
    assert main(["records", "import-delivery", WAITS, "--home", "node", *options]) == ExitCode.DONE
    path, query = service.asked[-1]
    assert (path, query["name"], query["accept_refused"]) == ("/v1/imports", "autumn", "true")
    assert query["columns"] == "full_name,date_of_birth"


def test_a_check_stores_nothing(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    """The findings are shown under the file's name."""
    assert main(["records", "import-delivery", WAITS, "--home", "node", "--check"]) == ExitCode.DONE
    assert [path for path, _ in service.asked] == ["/v1/deliveries", "/v1/records/check"]
    shown = " ".join(capsys.readouterr().out.split())
    assert "nightly.csv: 2 records can be used, 1 row refused" in shown
    assert "the date agrees medium" in shown
    assert "nothing else no hit" in shown
    assert "Of 100 family names, 70 are one of the 40 most usual of the list." in shown


def test_refused_rows_are_shown(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing was stored because of them."""
    service.refuses = True
    assert main(["records", "import-delivery", WAITS, "--home", "node"]) == ExitCode.REFUSED
    said = capsys.readouterr()
    assert "a-3" in said.out + said.err
    assert "nothing was stored" in said.err
    assert [path for path, _ in service.asked][1:] == ["/v1/imports", "/v1/records/check"]


def test_a_delivery_that_is_gone_is_not_asked_for(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    """The command says to look again."""
    assert main(["records", "import-delivery", "0" * 32, "--home", "node"]) != ExitCode.DONE
    assert "no delivery" in capsys.readouterr().err
    assert [path for path, _ in service.asked] == ["/v1/deliveries"]
