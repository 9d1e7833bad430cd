"""`aquila round` and `aquila approval`: what they say before somebody consents."""

import io

import httpx
import pytest

from aquila.interface.approval import (
    ApprovalEntry,
    ApprovalKind,
    Approvals,
    ApprovalState,
    ApprovalView,
    PendingApproval,
)
from aquila.interface.rounds import (
    NodeRoundView,
    NodeStatus,
    ProposalDefaults,
    RoundPage,
    RoundProposal,
    RoundSummary,
    TemplateChoice,
)
from aquila.interface.safeguard import Safeguards, SpentView
from aquila.interface.sentence import SentenceView
from aquila.protocol.messages import ClassCounts, PartyCap
from aquila.protocol.messages.base import Message
from aquila.records.rules import InputClass
from aquila.sentences import Sentence
from clients.cli.main import main
from tests.support.reached_service import answer_commands
from tests.unit.clients.web.rounds.test_progress import at_node

ROUND, DIGEST = "a" * 32, "f" * 64
WARNING = Sentence.of("declares_far_more", party="RS", input_class="coarse", expected=24_000, got=48_000)
CAPS = [("AL", 1_870), ("RS", 4_000), ("SI", 17_244)]


def at_proposal() -> NodeRoundView:
    """Return a round whose ceilings of coarse elements are these."""
    view = at_node("proposed")
    caps = [PartyCap(party=code, elements=ClassCounts(full=1, partial=1, coarse=coarse)) for code, coarse in CAPS]
    return view.model_copy(update={"manifest": view.manifest.model_copy(update={"caps": tuple(caps)})})


def spent_of(origin: str, declared: int) -> SpentView:
    none = {"in_round": 0, "in_day": 0, "day_cap": 0, "in_window": 0, "window_cap": 0, "window_rounds": 0}
    return SpentView(origin=origin, input_class=InputClass.COARSE, round_cap=declared, window_days=30, **none)


WAITS = ApprovalEntry(
    approval_id="e" * 32,
    kind=ApprovalKind.CONSENT,
    round_id=ROUND,
    state=ApprovalState.WAITING,
    author="p-0123456789ab",
    asked_at=1,
    expires_at=2,
    decided_by=None,
    decided_at=None,
    reason=None,
    digest=DIGEST,
    own=False,
)
ANSWERS: dict[str, Message] = {
    "/v1/rounds": RoundPage(
        rounds=(
            RoundSummary(
                round_id=ROUND, title="t", phase="proposed", area="a", category="c", participants=("AL", "RS")
            ),
        )
    ),
    "/v1/status": NodeStatus(
        party="AL",
        version="1",
        identity_fingerprint=DIGEST,
        matcher_url="https://m.example",
        matcher_reachable=True,
        clock_difference=0,
        log_alarm="",
        obstacle="",
        group="ifma",
    ),
    f"/v1/rounds/{ROUND}": at_proposal(),
    f"/v1/rounds/{ROUND}/consent": PendingApproval(
        approval_id="e" * 32, kind=ApprovalKind.CONSENT, round_id=ROUND, digest=DIGEST, expires_at=2
    ),
    f"/v1/rounds/{ROUND}/safeguards": Safeguards(
        round_id=ROUND,
        spent=(spent_of("RS", 900), spent_of("SI", 0)),
        earlier_rounds=(),
        earlier_sentence="",
        held_back=0,
        frequency_limit=8,
        alarms=(),
        checks=(),
        warnings=(SentenceView.of(WARNING),),
    ),
    "/v1/approvals": Approvals(approvals=(WAITS,)),
    f"/v1/approvals/{WAITS.approval_id}": ApprovalView(entry=WAITS, content={"kind": "consent"}),
    f"/v1/approvals/{WAITS.approval_id}/approve": WAITS,
}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("words", [["round", "consent", ROUND], ["round", "show", ROUND]])
def test_a_party_that_declares_far_more_is_told_of(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """To who asks for a consent, to who looks at the round, and to who approves it; with the names each could find."""
    answer_commands(monkeypatch, _answer)
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    assert main([*words, "--home", "node"]) == 0
    said = capsys.readouterr().err
    assert "warning: RS declares 48000 coarse elements" in said
    for names in (
        "With the 1,870 coarse elements that AL may declare at most, AL and the matcher could find about 30 %",
        "With the 900 coarse elements that RS declares, RS and the matcher could find about 10 % of a list's names.",
        "With the 17,244 coarse elements that SI may declare at most, SI and the matcher could find about 90 %",
    ):
        assert names in said


def test_a_proposal_from_a_template(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Its terms count where no option says another; a party that is not chosen has no cap and no pair.

    Where no pair is left, nothing is proposed: a proposal without pairs is for all.
    """
    manifest, sent = at_proposal().manifest, list[RoundProposal]()
    caps = tuple(PartyCap(party=code, elements=ClassCounts(full=1, partial=1, coarse=1)) for code in ("AL", "RS", "SI"))
    draft = RoundProposal(
        participants=("AL", "RS", "SI"),
        pairs=(("AL", "RS"), ("AL", "SI"), ("RS", "SI")),
        area="a",
        legal_basis="b",
        purpose="c",
        category="d",
        caps=caps,
        template=TemplateChoice(template_id="fighters", version=2),
    )
    defaults = ProposalDefaults(
        parties=draft.participants,
        rules=("default",),
        caps=caps[0].elements,
        window=manifest.window,
        padding=manifest.padding,
        minimum_certainty=draft.minimum_certainty,
        frequency_limit=8,
        retention_days=30,
        templates=(),
        draft=draft,
    )

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            assert request.url.params == httpx.QueryParams(template="fighters")
            return httpx.Response(200, json=defaults.model_dump(mode="json"))
        sent.append(RoundProposal.model_validate_json(request.content))
        return httpx.Response(202, json=ANSWERS[f"/v1/rounds/{ROUND}/consent"].model_dump(mode="json"))

    answer_commands(monkeypatch, answer)
    words = ["--template", "fighters", "--party", "AL", "--party", "RS", "--title", "t", "--home", "matcher"]
    assert main(["round", "propose", *words]) == 0
    changed = {"participants": ("AL", "RS"), "pairs": (("AL", "RS"),), "caps": caps[:2], "title": "t"}
    assert sent == [draft.model_copy(update=changed)]
    for more in (["--party", "AL", "--party", "ME"], ["--like", ROUND]):
        assert main(["round", "propose", "--template", "fighters", *more, "--home", "matcher"]) == 1
    assert len(sent) == 1
    said = capsys.readouterr().err
    assert "no two of AL, ME are compared" in said
    assert "both --like and --template" in said


def _answer(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json=ANSWERS[request.url.path].model_dump(mode="json"))
