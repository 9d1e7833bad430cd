"""`aquila call`: any operation by its id."""

import io
import json
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from clients.cli.exit_codes import ExitCode
from clients.cli.main import main
from tests.support.reached_service import answer_commands

ROUND, HIT, PERSON = "5f1d" + "0" * 28, "ab12" + "0" * 28, "p-0123456789ab"
PERSONS = "cd34" + "0" * 28
LISTS = {
    "/v1/rounds": {"rounds": [{"round_id": ROUND}]},
    "/v1/hits": {"hits": [{"hit_id": HIT, "round_id": ROUND}]},
    "/v1/imports": {"imports": [{"import_id": PERSONS, "for_query": True}, {"import_id": HIT, "for_query": False}]},
    "/v1/deliveries": {"deliveries": [{"delivery_id": HIT}]},
    "/v1/people/accounts": {"accounts": [{"login": "ana", "person": PERSON}]},
}


@dataclass
class Recorder:
    content: bytes = b""
    calls: list[tuple[str, str, bytes]] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET" and request.url.path in LISTS:
            return httpx.Response(200, json=LISTS[request.url.path])
        self.calls.append((request.method, request.url.raw_path.decode(), request.read()))
        return httpx.Response(200, content=self.content)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    made = Recorder()
    answer_commands(monkeypatch, made)
    return made


def test_an_operation_is_called(service: Recorder, capsys: pytest.CaptureFixture[str]) -> None:
    """Ids may be beginnings; the answer is what the service says, as JSON with and without --json."""
    line = ["call", "decide", "round_id=latest", "hit_id=AB12", "decision=same", "remark=a=b", "--home", "node"]
    assert main(line) == ExitCode.DONE
    assert capsys.readouterr().out == "Done.\n"
    body = b'{"decision":"same","remark":"a=b"}'
    assert service.calls == [("POST", f"/v1/rounds/{ROUND}/hits/{HIT}/decision", body)]
    service.content = b'{"a": "\\u010d"}'
    for words in (["--json"], []):
        assert main(["call", "get_status", "--home", "node", *words]) == ExitCode.DONE
        assert capsys.readouterr().out == '{\n  "a": "č"\n}\n'


@pytest.mark.parametrize("person", ["ana", PERSON])
def test_a_person_is_named_by_the_login(service: Recorder, person: str) -> None:
    assert main(["call", "put_roles", f"person={person}", "roles=officer", "roles=auditor", "--home", "node"]) == 0
    assert service.calls == [("PUT", f"/v1/people/accounts/{PERSON}/roles", b'{"roles":["officer","auditor"]}')]


def test_the_latest_import_is_a_list(service: Recorder) -> None:
    """Not the persons of a query, though these came later."""
    assert main(["call", "delete_import", "import_id=latest", "--home", "node"]) == ExitCode.DONE
    assert service.calls == [("DELETE", f"/v1/imports/{HIT}", b"")]


def test_values_from_files_and_stdin(
    service: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "persons.json").write_text('[{"full_name": "Ana Novak"}]\n', encoding="utf-8")
    monkeypatch.setattr("sys.stdin", io.StringIO("Ana\n"))
    assert main(["call", "search_records", "text=@-", "--home", "node"]) == ExitCode.DONE
    assert json.loads(service.calls.pop()[2]) == {"text": "Ana"}
    why = [f"justification.{name}=x" for name in ("legal_basis", "purpose", "case_reference", "category")]
    line = ["call", "post_query", "round_id=latest", f"persons=@{tmp_path / 'persons.json'}", *why, "--home", "node"]
    assert main(line) == ExitCode.DONE
    assert json.loads(service.calls.pop()[2])["persons"] == [{"full_name": "Ana Novak"}]
    (tmp_path / "body.json").write_text('{"number": 3}', encoding="utf-8")
    assert main(["call", "undo", f"body=@{tmp_path / 'body.json'}", "--home", "node"]) == ExitCode.DONE
    assert service.calls.pop()[2] == b'{"number":3}'
    line = ["call", "import_records", "name=l", f"body=@{tmp_path / 'persons.json'}", "delivery=ab12", "--home", "node"]
    assert main(line) == ExitCode.DONE
    assert service.calls.pop()[1] == f"/v1/imports?name=l&delivery={HIT}"
    assert "Ana" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["search_records", "text=Novak"], "text may not stand in a command line"),
        (["post_query", 'persons=[{"full_name": "Novak"}]'], "persons may not stand in a command line"),
        (["search_records", 'body={"text": "Novak"}'], "body may not stand in a command line"),
        (["get_hitz"], "the node has no operation get_hitz"),
        (["get_hits", "stages=new"], "get_hits has no parameter stages"),
        (["get_hits", "stage"], "parameters of get_hits are written NAME=VALUE"),
        (["decide"], "decide needs more: round_id, hit_id, decision"),
        (["get_stored_findings_file", "import_id=latest"], "get_stored_findings_file answers with text/csv"),
        (["undo", "body=@missing"], "missing cannot be read"),
        (["undo", "body=@given"], "body has to be a JSON object"),
        (["remark", "remark=@given"], "given cannot be read: UnicodeDecodeError"),
        (["get_round", "round_id=77777"], "77777 means no round of 1"),
        (["post_reset", "person=eva"], "there is no account eva"),
        (["nothing", "--list"], "the node has no operation nothing"),
    ],
)
def test_what_cannot_be_called(
    service: Recorder,
    words: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It is refused before anything is sent, with what to do, and without a person's name."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "given").write_bytes(b"\xff")
    assert main(["call", *words, "--home", "node"]) == ExitCode.REFUSED
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"aquila: error: {message}")
    assert "Novak" not in said.err
    assert service.calls == []


def test_an_answer_in_a_file(service: Recorder, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    service.content, out = b"a,b\n", tmp_path / "numbers.csv"
    assert main(["call", "get_statistics_csv", "--out", str(out), "--home", "matcher"]) == ExitCode.DONE
    assert out.read_bytes() == b"a,b\n"
    assert out.stat().st_mode & 0o777 == 0o600
    assert capsys.readouterr().out == f"The answer is in {out}.\n"


def test_the_list_needs_no_home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = ["call", "--list", "--home", str(tmp_path / "none")]
    assert main(line) == ExitCode.DONE
    assert "decide_many" in capsys.readouterr().out
    assert main([*line, "--json"]) == ExitCode.DONE
    listed = {one["operation"]: one["at"] for one in json.loads(capsys.readouterr().out)}
    assert (listed["get_hits"], listed["post_round"], listed["get_me"]) == (["node"], ["matcher"], ["node", "matcher"])
    assert main(["call", "search_hits", "--list"]) == ExitCode.DONE
    shown = capsys.readouterr().out
    assert "search_hits, at the node" in shown
    assert "list | query" in shown
    assert "text, from a file or stdin alone" in shown
    assert main(["call", "get_approvals", "--list", "--json"]) == ExitCode.DONE
    assert json.loads(capsys.readouterr().out).keys() == {"node", "matcher"}
