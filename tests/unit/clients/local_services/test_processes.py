"""The demo's stage: what was started there is stopped there."""

import contextlib
import signal
import time
from pathlib import Path

import pytest

from clients.local_services import processes


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_that_is_lost_comes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    """Python drops what is raised in a destructor; the stage stops all the same, and leaves signals as they were."""
    monkeypatch.setattr(processes, "_AGAIN_SECONDS", 0.05)
    before = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)]
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt), processes.staged(tmp_path):
        _lose(number)
    assert time.monotonic() - started < 30
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)] == before


def _lose(number: signal.Signals) -> None:
    """Swallow one interrupt and go on for longer than the test has; the second one ends it."""
    with contextlib.suppress(KeyboardInterrupt):
        signal.raise_signal(number)
    time.sleep(60)


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("mine")
    with pytest.raises(processes.InputError), processes.staged(tmp_path):
        pass
    assert (tmp_path / "own.txt").read_text() == "mine"
