"""A pytest plugin for runs in which nothing may be missing (`-p tests.support.nothing_skipped`).

What was skipped is listed in the end with the reasons, and the run is red. Everything else runs first: who lacks the
rights or programs for some tests has the others' result, and knows which are left to another machine.
"""

import pytest
from _pytest.terminal import TerminalReporter


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that is green but for tests that were skipped."""
    if session.exitstatus == pytest.ExitCode.OK and _skipped(_reporter(session.config)):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    skipped = _skipped(terminalreporter)
    if skipped:
        terminalreporter.section("not run", red=True, bold=True)
        for test, reason in skipped:
            terminalreporter.write_line(f"{test}: {reason}")


def _skipped(reporter: TerminalReporter) -> list[tuple[str, str]]:
    """Return the tests, and the files as a whole, that were skipped, each with its reason."""
    reports = reporter.stats.get("skipped", [])
    return [(one.nodeid, str(one.longrepr[2]).removeprefix("Skipped: ")) for one in reports]


def _reporter(config: pytest.Config) -> TerminalReporter:
    found: TerminalReporter | None = config.pluginmanager.get_plugin("terminalreporter")
    assert found is not None
    return found
