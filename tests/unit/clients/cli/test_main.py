"""The end of the command: exit codes, errors and hints, and never a traceback for an error of the tree."""

import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import services.kit.errors  # noqa: F401 - its errors are part of the tree
from aquila import __version__
from aquila.errors import AquilaError
from aquila.sentences import quoted
from clients.cli.exit_codes import ExitCode, exit_code_of
from clients.cli.main import app, main, whole_command


def _tree(kind: type[AquilaError] = AquilaError) -> Iterator[type[AquilaError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _tree(child)


@pytest.fixture
def failing(request: pytest.FixtureRequest) -> Iterator[None]:
    @app.command("fail")
    def fail() -> None:
        raise request.param

    whole_command.cache_clear()
    yield
    app.registered_commands.pop()
    whole_command.cache_clear()


ERRORS = [kind(quoted("it went wrong", "try again")) for kind in sorted(set(_tree()), key=lambda kind: kind.__name__)]


@pytest.mark.parametrize("failing", ERRORS, ids=lambda error: type(error).__name__, indirect=True)
@pytest.mark.usefixtures("failing")
def test_every_error_of_the_tree(capsys: pytest.CaptureFixture[str]) -> None:
    """Every error ends as a sentence and a hint on stderr, nothing on stdout, and a code of its own kind."""
    code = main(["fail"])
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "aquila: error: it went wrong\naquila: hint: try again\n"
    assert code in {ExitCode.REFUSED, ExitCode.AWAY, ExitCode.PROTOCOL, ExitCode.MACHINE}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("InputError", ExitCode.REFUSED),
        ("NotFoundError", ExitCode.REFUSED),
        ("CapError", ExitCode.REFUSED),
        ("OrderError", ExitCode.REFUSED),
        ("StoreConflictError", ExitCode.REFUSED),
        ("PeerUnavailableError", ExitCode.AWAY),
        ("ProofError", ExitCode.PROTOCOL),
        ("SignatureError", ExitCode.PROTOCOL),
        ("StoreFullError", ExitCode.MACHINE),
        ("KeyMaterialError", ExitCode.MACHINE),
    ],
)
def test_exit_codes(name: str, code: ExitCode) -> None:
    kind = next(kind for kind in _tree() if kind.__name__ == name)
    assert exit_code_of(kind(quoted("x"))) is code


@pytest.mark.parametrize("failing", [ValueError("Janez Novak")], ids=["ValueError"], indirect=True)
@pytest.mark.usefixtures("failing")
def test_own_fault(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of Aquila names its place, but not what was in hand; the way there is shown on demand."""
    assert main(["fail"]) == ExitCode.FAULT
    said = capsys.readouterr().err
    assert "ValueError at " in said
    assert "Novak" not in said
    monkeypatch.setenv("AQUILA_TRACEBACK", "1")
    assert main(["fail"]) == ExitCode.FAULT
    assert "in fail" in capsys.readouterr().err


@pytest.mark.parametrize(
    "failing", [PermissionError(13, "Permission denied", "/srv/lists")], ids=["folder"], indirect=True
)
@pytest.mark.usefixtures("failing")
def test_a_folder_that_may_not_be_used(capsys: pytest.CaptureFixture[str]) -> None:
    """What the system refuses is named with its reason, and is no fault of Aquila."""
    assert main(["fail"]) == ExitCode.MACHINE
    said = capsys.readouterr().err
    assert said.startswith("aquila: error: /srv/lists cannot be used: Permission denied\naquila: hint: ")


def test_an_output_without_room(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk behind stdout is told as such, and Python has nothing left to complain about at its end."""
    full = Path("/dev/full").open("w", encoding="utf-8")  # noqa: SIM115 - it is closed by the last line
    monkeypatch.setattr(sys, "stdout", full)
    assert main(["roles"]) == ExitCode.MACHINE
    assert "No space left on device" in capsys.readouterr().err
    full.close()


@pytest.mark.parametrize("failing", [KeyboardInterrupt()], ids=["KeyboardInterrupt"], indirect=True)
@pytest.mark.usefixtures("failing")
def test_interrupted(capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C ends with the code that shells expect."""
    assert main(["fail"]) == ExitCode.INTERRUPTED
    assert capsys.readouterr().err == "aquila: error: interrupted\n"


def test_a_question_without_an_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of the input (Ctrl-D) is an answer and no fault."""

    def ended(_: str) -> str:
        raise EOFError

    monkeypatch.setattr("sys.stdin", io.StringIO())
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("clients.cli.prompts.getpass", ended)
    line = ["login", "ana", "--url", "http://127.0.0.1:1", "--home", str(tmp_path)]
    assert main(line) == ExitCode.REFUSED
    assert "nothing was done" in capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """The version names the group backend and why it was chosen."""
    assert main(["--version", "--json"]) == ExitCode.DONE
    said = capsys.readouterr().out
    assert __version__ in said
    assert '"reason"' in said


def test_help_imports_little() -> None:
    """Help and completion import neither the cryptography nor the web framework."""
    code = (
        "import sys; from clients.cli.main import main; main(['--help']);"
        "slow = {'duckdb', 'numpy', 'fastapi', 'httpx', 'sqlalchemy', 'pydantic', 'rich.table'} & set(sys.modules);"
        "sys.exit(' '.join(sorted(slow)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("option", ["--cert", "--key"])
def test_half_of_a_certificate(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([option, "mine.pem", "roles"]) == ExitCode.REFUSED
    assert "--cert and --key come together" in capsys.readouterr().err
