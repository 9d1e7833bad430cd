"""`docs/DATA_MODEL.md` draws the states and names the tables of the code, no more and no fewer."""

import re
from pathlib import Path

import pytest

from aquila.followup.lifecycle import HitLifecycle, LifecycleStep, LifecycleStepKind, Stage
from aquila.interface.queries import StandingQueryState
from aquila.interface.rounds import SubmissionState
from aquila.protocol.rounds.round_state import PHASE_TRANSITIONS
from services.matcher.storage.tables import MatcherRows
from services.node.records.erasure import tables_of_hits
from services.node.steps.close import DESTROYED_WITH_THE_KEY, EXPIRING
from services.node.storage.states import (
    CHUNK_DOWNLOAD_TRANSITIONS,
    EVALUATION_DOWNLOAD_TRANSITIONS,
    LOCAL_ROUND_TRANSITIONS,
    PROMISE_TRANSITIONS,
    STANDING_QUERY_TRANSITIONS,
    SUBMISSION_TRANSITIONS,
    ChunkDownloadState,
    EvaluationDownloadState,
    LocalRoundState,
    Promise,
)
from services.node.storage.tables import NodeRows

TEXT = (Path(__file__).parents[2] / "docs" / "DATA_MODEL.md").read_text("utf-8")
VALUES = {
    LifecycleStepKind.DECIDED: "same",
    LifecycleStepKind.OPENED: "siena",
    LifecycleStepKind.RECEIVED: "2026-11-26",
    LifecycleStepKind.CLOSED: "confirmed",
    LifecycleStepKind.WITHDRAWN: "erased",
}


def _hit_transitions() -> dict[Stage, set[Stage]]:
    """Return, for each stage of a hit, the others to which the steps that are possible in it lead."""
    found: dict[Stage, set[Stage]] = {}
    for stage in Stage:
        life = HitLifecycle(0, 0, stage=stage)
        steps = [LifecycleStep(kind, 1, "SI", VALUES.get(kind, ""), remark="x") for kind in life.possible()]
        found[stage] = {life.after(step).stage for step in steps} - {stage}
    found[Stage.CLOSED].add(Stage.FOLLOW_UP)  # where it was reopened from, if it had a follow-up
    found[Stage.NEW].add(HitLifecycle(0, 0).after(LifecycleStep(LifecycleStepKind.CARRIED, 1, "", "same")).stage)
    for stage in (Stage.NEW, Stage.ACKNOWLEDGED):
        life = HitLifecycle(0, 0, stage=stage)
        found[stage].add(life.after(LifecycleStep(LifecycleStepKind.REPLACED, 1, "")).stage)
    return found


DRAWN = {
    "Phase of a round": PHASE_TRANSITIONS,
    "Round at a node": LOCAL_ROUND_TRANSITIONS,
    "Submission at a node": SUBMISSION_TRANSITIONS,
    "Standing query": STANDING_QUERY_TRANSITIONS,
    "Chunk to evaluate": CHUNK_DOWNLOAD_TRANSITIONS,
    "Evaluation to verify": EVALUATION_DOWNLOAD_TRANSITIONS,
    "Promise of the matcher's log": PROMISE_TRANSITIONS,
    "Hit": _hit_transitions(),
}


def _section(title: str) -> str:
    return re.split(r"^##+ ", TEXT.split(f"### {title}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def _rows(title: str) -> dict[str, str]:
    """Return what deletes the rows of each table of a section."""
    rows = re.findall(r"^\| `(\w+)` \| .+ \| (.+) \| (.+) \|$", _section(title), re.MULTILINE)
    assert {word for _, secret, _ in rows for word in secret.split(", ")} <= {"persons", "sealed", "hashed", "service"}
    assert len(rows) == len({name for name, *_ in rows})
    return {name: deleted for name, _, deleted in rows}


@pytest.mark.parametrize("title", DRAWN)
def test_a_diagram_is_its_table_of_transitions(title: str) -> None:
    """A diagram has the states and transitions of its table; states that nothing follows end."""
    (diagram,) = re.findall(r"```mermaid\nstateDiagram-v2\n(.*?)```", _section(title), re.DOTALL)
    arrows = re.findall(r"^    (\S+) --> ([^\s:]+)(?:: .+)?$", diagram, re.MULTILINE)
    assert len(arrows) == diagram.count("\n") == len(set(arrows))
    table = DRAWN[title]
    assert {arrow for arrow in arrows if "[*]" not in arrow} == {
        (before.value, after.value) for before, followers in table.items() for after in followers
    }
    assert {before for before, after in arrows if after == "[*]"} == {
        state.value for state, followers in table.items() if not followers
    } | ({"proved"} & {state.value for state in table}) | ({"withdrawn"} & {state.value for state in table})
    assert {state for arrow in arrows for state in arrow} - {"[*]"} == {state.value for state in table}


def test_every_diagram_is_tested() -> None:
    """No diagram is drawn of anything else."""
    assert TEXT.count("```mermaid") == len(DRAWN)


def test_tables_of_transitions_have_every_state() -> None:
    """A state without a row in its table could not be entered or left."""
    assert list(LOCAL_ROUND_TRANSITIONS) == list(LocalRoundState)
    assert list(SUBMISSION_TRANSITIONS) == list(SubmissionState)
    assert list(PROMISE_TRANSITIONS) == list(Promise)
    assert list(STANDING_QUERY_TRANSITIONS) == list(StandingQueryState)
    assert list(CHUNK_DOWNLOAD_TRANSITIONS) == list(ChunkDownloadState)
    assert list(EVALUATION_DOWNLOAD_TRANSITIONS) == list(EvaluationDownloadState)


def test_every_table_is_described_once() -> None:
    """The tables of the three sections are those of the two databases."""
    node, matcher = set(NodeRows.metadata.tables), set(MatcherRows.metadata.tables)
    own, theirs, both = (set(_rows(title)) for title in ("Node", "Matcher", "Both services"))
    assert not both & (own | theirs)
    assert own | both == node
    assert theirs | both == matcher


def test_what_goes_with_the_key_and_with_retention_is_named() -> None:
    """The tables whose rows are named as going with the round key, or by retention, are those that the node deletes."""
    rows = _rows("Node")
    assert {name for name, deleted in rows.items() if deleted.startswith("round key")} == {
        row.__tablename__ for row in DESTROYED_WITH_THE_KEY
    }
    retained = {name for name, deleted in rows.items() if re.search(r"(?<!log )retention", deleted)}
    assert retained == {row.__tablename__ for row in EXPIRING} | {table.name for table in tables_of_hits()}
