"""Runs of `aquila`, word for word.

A transcript has blocks: `$ aquila ...`, then stdout as it is, stderr behind `2> `, and `[exit N]` unless it is 0. The
files that a command names are in `files/`. Values that differ from run to run stand as `<...>`.
AQUILA_WRITE_TRANSCRIPTS=1 writes the files anew; read the difference before it is committed.
"""

import os
import re
import shlex
import shutil
from pathlib import Path

import pytest

from aquila import __version__
from clients.cli.main import main

FOLDER = Path(__file__).parent
TRANSCRIPTS = sorted(FOLDER.glob("*.txt"))
PHASES = "seconds_total|read|consent|normalize|blind|evaluate|verify|finalize|shadow|exchange|match|check"
VARIABLE = [
    (re.compile(r"\b\d+\.\d+ s\b"), "<seconds> s"),
    (re.compile(rf'("(?:{PHASES})": )[\d.]+'), r"\1<seconds>"),
    (re.compile(r'("peak_(?:memory|disk)_bytes": )\d+'), r"\1<bytes>"),
    (re.compile(rf'(^aquila |"version": "){re.escape(__version__)}\b', re.MULTILINE), r"\1<version>"),
    (re.compile(r"(Group backend: ).*"), r"\1<backend>"),
    (re.compile(r'("name": ")(?:ifma|avx2|portable)"'), r'\1<backend>"'),
    (re.compile(r'("reason": ")[^"]*threads: \d+'), r"\1<backend>"),
    (re.compile(r'("digest": ")[0-9a-f]{64}'), r"\1<digest>"),
]


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_transcript(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(FOLDER / "files", tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    for name in ("AQUILA_HOME", "AQUILA_URL", "AQUILA_CA", "AQUILA_CERT", "AQUILA_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))  # of a person who has no home for any service yet
    monkeypatch.setenv("COLUMNS", "100")
    expected = path.read_text(encoding="utf-8")
    commands = [line[2:] for line in expected.splitlines() if line.startswith("$ ")]
    happened = "\n".join(_block(command, capsys) for command in commands)
    if os.environ.get("AQUILA_WRITE_TRANSCRIPTS"):
        path.write_text(happened, encoding="utf-8")
    assert happened == expected, "if this is meant, AQUILA_WRITE_TRANSCRIPTS=1 writes it anew"


def _block(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    program, *arguments = shlex.split(command)
    if program == "cat":
        return f"$ {command}\n{Path(arguments[0]).read_text(encoding='utf-8')}"
    code = main(arguments)
    said = capsys.readouterr()
    lines = [f"$ {command}", *said.out.splitlines(), *(f"2> {line}".rstrip() for line in said.err.splitlines())]
    text = "\n".join([*lines, f"[exit {code}]"] if code else lines) + "\n"
    for pattern, stands in VARIABLE:
        text = pattern.sub(stands, text)
    return text
