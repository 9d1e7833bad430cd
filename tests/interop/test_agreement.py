"""The auditor in JavaScript, written from `schemas/` alone, finds of every log of our audit tests what ours finds.

Both name the check of PROTOCOL.md 10.6 at which they stop, or what is not proven. Our tests of audits run once more,
and every log that they audit is recorded (`recording`): honest ones, changed files, and logs written anew with the keys
of everybody.
"""

import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from aquila.crypto.group import Group
from aquila.errors import AuditError
from aquila.protocol.registry import Registry, read_registry
from tests.interop.recording import recording
from tests.support.exported import Exported
from tests.support.odd_entries import odd_entries

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.e2e

AUDITOR = ROOT / "tests/interop/auditor/main.mjs"
RECORDED = (
    *("audit/test_verify.py", "audit/test_heads.py", "audit/test_copies.py", "audit/test_dual_control.py"),
    *("audit/test_replaced_keys.py", "attacks/test_explain_what_is_missing.py"),
)

CHECKS = {
    1: r"log_registry_.*",
    2: r"log_too_long_for_auditor",
    3: r"hash_differs_from_tile_below|checkpoint_head_differs_from_tiles",
    4: r"checkpoint_index_.*|checkpoint_differs_from_name|log_forked_at_checkpoint",
    5: r"entry_differs_from_tree|entry_not_left_out|left_out_.*",
    6: r"entry_key_change_unknown|entry_dated_.*|entry_erased_.*",
    7: r"checkpoint_log_differs_from_name",
    8: r"entry_form_wrong|entry_statement_(unexpected|missing|invalid|differs|repeated)|entry_differs_from_statement"
    r"|entry_signed_by_replaced_key|entry_key_never_introduced",
    9: r"entry_round_.*|entry_manifest_invalid|entry_opening_too_early|entry_not_allowed_by_round"
    r"|entry_statement_wrongly_refused"
    r"|entry_pair_wrongly_matched|entry_report_.*|entry_notes_not_due|entry_batch_sent_twice|entry_statement_number_reused",
    10: r"round_pair_.*|round_hit_count_differs|round_closed_.*|round_closing_missing",
    11: r"round_statements_missing",
    12: r"published_statistics_differ_from_log",
    13: r"round_checkpoint_not_cosigned",
    14: r"entry_seen_.*",
}
"""The checks of 10.6 by our auditor's sentences."""

FILES = {
    1: r"registry\.json",
    2: r"checkpoint",
    3: r"tile/\d.*",
    4: r"checkpoints/.*",
    5: r"tile/.*|entry .*",
    7: r"seen/.*",
    12: r"statistics/.*",
}
"""The checks by the files that cannot be read, or are missing."""

OF_LOGS_TOGETHER = {"log_alarm", "not_entered", "refused_unshown"}
"""What is not proven of logs that are held against each other, by its word."""


def check_of(verdict: dict[str, Any]) -> int | None:
    """Return at which check our auditor stopped, or None."""
    if "code" not in verdict:
        return None
    by_key = verdict["reason"] in {"entry_signed_by_replaced_key", "entry_key_never_introduced"}
    if by_key and verdict["name"]:
        return 6
    found = [number for number, codes in CHECKS.items() if re.fullmatch(codes, verdict["code"])]
    found += [number for number, names in FILES.items() if not found and re.fullmatch(names, verdict["name"])]
    return found[0]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every log that our tests of audits make."""
    folder = tmp_path_factory.mktemp("recorded")
    tests = [str(ROOT / "tests" / name) for name in RECORDED]
    plugin = ["-p", "tests.interop.recording", "--record-logs", str(folder)]
    words = [sys.executable, "-m", "pytest", "-q", "-n", "2", *plugin, *tests]
    ran = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)
    assert ran.returncode == 0, ran.stdout[-4_000:]
    return folder


def verdicts(folder: Path) -> Iterator[dict[str, Any]]:
    node = shutil.which("node")
    assert node, "install Debian's nodejs and npm, then `npm ci` in tests/interop"
    ran = subprocess.run([node, str(AUDITOR), "--cases", str(folder)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    yield from map(json.loads, ran.stdout.splitlines())


def agreed(folder: Path) -> Counter[int | str | None]:
    """Ask both auditors about every recorded log; return how many stopped at each check, and at none."""
    found, differ = Counter[int | str | None](), []
    for theirs in verdicts(folder):
        ours = json.loads((folder / theirs["name"]).read_text())
        said = theirs.get("unproven", [])
        if "beside" in ours:
            mine = "logs" if "code" in ours else None, ours["compared"]
            others = theirs["check"], [word for word in said if word in OF_LOGS_TOGETHER]
        else:
            mine = check_of(ours), ours.get("unproven", [])
            others = theirs["check"], said
        found[mine[0]] += 1
        if mine != others:
            said = ours.get("text", mine[1]), theirs.get("sentence", others[1])
            differ.append(f"ours {mine[0]}: {said[0]}; theirs {others[0]}: {said[1]}")
    assert not differ, "\n".join(differ)
    return found


def test_both_auditors_find_the_same(recorded: Path) -> None:
    found = agreed(recorded)
    assert found.total() > 150
    assert found.keys() >= {None, *CHECKS}


def test_options_are_those_of_the_command(recorded: Path, tmp_path: Path) -> None:
    """Another log, a checkpoint that was kept, and a strict audit: both programs end with the same status."""
    cases = [json.loads(path.read_text()) for path in sorted(recorded.glob("*.json"))]
    case = next(case for case in cases if "beside" in case and "code" not in case)
    log, other = tmp_path / "log", tmp_path / "other"
    for place, files in ((log, case["files"]), (other, case["beside"][0])):
        for name, blob in files.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(recorded / "blobs" / blob, place / name)
    (tmp_path / "registry.toml").write_text(case["registry"])
    kept = min((log / "checkpoints").glob("[0-9]*"), key=lambda path: int(path.name))
    for options, status in (
        (["--at-least", str(kept), "--with", str(other)], 0),
        (["--with", str(other), "--strict"], 1),
        (["--at-least", str(other / "checkpoint")], 1),
    ):
        assert statuses([str(log), "--registry", str(tmp_path / "registry.toml"), *options]) == [status, status]


def statuses(words: list[str]) -> list[int]:
    """Return how both programs end."""
    node = shutil.which("node")
    programs = [[str(node), str(AUDITOR)], [sys.executable, "-m", "clients.cli.main", "audit", "verify", "--json"]]
    return [subprocess.run([*one, *words], cwd=ROOT, capture_output=True, check=False).returncode for one in programs]


PLACES = 8
"""At how many places each file is damaged, as it is in `audit/test_every_damage.py` for ours alone."""


def test_both_auditors_find_the_same_damage(recorded: Path, tmp_path: Path, group: Group) -> None:
    """A bit of some bytes of every file of an honest log."""
    whole, registry = honest(recorded)
    with recording(tmp_path) as (read_log, audit_rounds):
        for name, content in whole.items():
            for place in range(0, len(content), max(1, len(content) // PLACES)):
                octet = content[place] ^ 1 << place % 8
                files = whole | {name: content[:place] + bytes([octet]) + content[place + 1 :]}
                with suppress(AuditError):
                    audit_rounds(read_log(files.get, registry), files.get, registry, group)
    assert agreed(tmp_path).keys() >= {None, 1, 2, 3, 4, 5, 7, 8, 12}


def test_both_auditors_find_the_same_in_odd_entries(log: Exported, tmp_path: Path, group: Group) -> None:
    """Entries that lack what their kind has, in logs that the matcher wrote anew with the keys of all witnesses."""
    with recording(tmp_path) as (read_log, audit_rounds):
        for index, entry in odd_entries(log):
            odd = log.copy()
            odd.contents[index] = entry.content()
            odd.sign_anew(statistics=False)
            with suppress(AuditError):
                audit_rounds(read_log(odd.files.get, odd.registry), odd.files.get, odd.registry, group)
    assert agreed(tmp_path).keys() >= {None, 8, 9}


def honest(recorded: Path) -> tuple[dict[str, bytes], Registry]:
    """Return the files of a matcher's log of a whole round, and its registry."""
    for path in sorted(recorded.glob("*.json")):
        case = json.loads(path.read_text())
        if case.get("unproven") == [] and any(name.startswith("statistics/") for name in case["files"]):
            files = {name: (recorded / "blobs" / blob).read_bytes() for name, blob in case["files"].items()}
            return files, read_registry(case["registry"].encode())
    pytest.fail("no honest log was recorded")
