"""The form of a proposal: defaults, the second step, faults beside their fields, and what was typed is kept."""

from typing import Any

import pytest
from starlette.datastructures import FormData

from aquila.errors import InputError, OrderError
from aquila.interface.rounds import ProposalDefaults, RoundProposal
from aquila.matching.certainty import Level
from aquila.protocol.messages import ClassCounts, Mode, Padding, PartyCap, Window
from aquila.records.rules import InputClass
from aquila.sentences import quoted
from clients.web.app.forms import SubmittedForm
from clients.web.i18n.languages import zone
from clients.web.rounds import proposal_form

WINDOW = Window(consent_by=1_800_000_000, submit_by=1_800_600_000, evaluate_by=1_801_200_000, closes_at=1_802_400_000)
DEFAULTS = ProposalDefaults(
    parties=("AL", "RS", "SI"),
    rules=("default", "exact"),
    caps=ClassCounts(full=1_000, partial=500, coarse=300),
    window=WINDOW,
    padding=Padding(inputs_per_record=(8, 16), records_multiple=100),
    minimum_certainty=Level.LOW,
    frequency_limit=8,
    retention_days=1_095,
)
WORDS = {"area": "a", "legal_basis": "b", "purpose": "c", "category": "d"}


def form(*parties: str, **changes: Any) -> proposal_form.ProposalForm:
    shown = proposal_form.fresh(DEFAULTS).texts | WORDS
    fields = [(name, value) for name, value in (shown | changes).items() if isinstance(value, str)]
    fields += [(name, one) for name, values in changes.items() if isinstance(values, list) for one in values]
    fields += [("party", party) for party in parties]
    return proposal_form.typed(SubmittedForm(FormData(fields)), DEFAULTS)


def test_what_is_not_changed_is_the_default() -> None:
    """All pairs, the service's deadlines to the minute, amounts, padding and safeguards."""
    proposal = form("SI", "AL").proposal(DEFAULTS)
    assert proposal is not None
    assert proposal.participants == ("AL", "SI")
    assert proposal.pairs == ()
    assert [(cap.party, cap.elements) for cap in proposal.caps] == [("AL", DEFAULTS.caps), ("SI", DEFAULTS.caps)]
    assert proposal.window is not None
    for name, moment in WINDOW.model_dump().items():
        assert 0 <= moment - getattr(proposal.window, name) < 60
    assert (proposal.padding, proposal.frequency_limit) == (DEFAULTS.padding, 8)


def test_what_is_empty_is_left_to_the_service() -> None:
    caps = [f"cap_{kind}" for kind in InputClass]
    names = (*proposal_form.MOMENTS, *caps, "frequency_limit", "padding_records", "rules")
    proposal = form("AL", "RS", **dict.fromkeys(names, "")).proposal(DEFAULTS)
    assert proposal is not None
    assert (proposal.window, proposal.caps, proposal.padding) == (None, (), None)


def test_the_second_step() -> None:
    """Each party's amounts and each pair by itself; what held for all stands there first."""
    first = form("AL", "RS", "SI", cap_full="70")
    first.spread(DEFAULTS.parties)
    assert first.opened
    assert (first.each, first.pairs) == (["AL", "RS", "SI"], {"AL-RS", "AL-SI", "RS-SI"})
    assert first.text("cap-RS-full") == "70"
    amounts = {f"cap-{party}-{kind}": "9" for party in ("AL", "RS", "SI") for kind in InputClass}
    second = form("AL", "RS", "SI", **amounts, each=["AL", "RS", "SI"], pair=["AL-SI", "RS-SI", "XX-YY"])
    proposal = second.proposal(DEFAULTS)
    assert proposal is not None
    assert proposal.pairs == (("AL", "SI"), ("RS", "SI"))
    assert {cap.elements.full for cap in proposal.caps} == {9}


def test_other_parties_in_the_second_step() -> None:
    """Their pairs are shown before anything is sent: those that were chosen stay so, new ones are chosen."""
    amounts = {f"cap-AL-{kind}": "7" for kind in InputClass}
    moved = form("AL", "RS", "SI", each=["AL", "RS"], pair=[], **amounts)
    assert moved.proposal(DEFAULTS) is None
    assert moved.faults["party"].message == proposal_form.MOVED
    assert (moved.each, moved.pairs) == (["AL", "RS", "SI"], {"AL-SI", "RS-SI"})
    assert (moved.text("cap-AL-full"), moved.text("cap-SI-full")) == ("7", "1000")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"area": ""}, "area"),
        ({"purpose": "x" * 501}, "purpose"),
        ({"category": "a\x00b"}, "category"),
        ({"mode": "all"}, "mode"),
        ({"minimum_certainty": ""}, "minimum_certainty"),
        ({"retention_days": "0"}, "retention_days"),
        ({"retention_days": "soon"}, "retention_days"),
        ({"frequency_limit": "٣"}, "frequency_limit"),
        ({"frequency_limit": "1001"}, "frequency_limit"),
        ({"cap_full": "-1"}, "cap_full"),
        ({"cap_coarse": "9" * 30}, "cap_coarse"),
        ({"padding_inputs": "8 8"}, "padding_inputs"),
        ({"padding_inputs": "8, 300"}, "padding_inputs"),
        ({"padding_inputs": "eight"}, "padding_inputs"),
        ({"padding_records": "0"}, "padding_records"),
        ({"rules": "none"}, "rules"),
        ({"consent_by": ""}, "consent_by"),
        ({"submit_by": "tomorrow"}, "submit_by"),
        ({"closes_at": "1969-01-01T00:00"}, "closes_at"),
        ({"evaluate_by": "2026-01-01T00:00"}, "evaluate_by"),
        ({"each": ["AL", "RS"], "pair": []}, "pair"),
        ({"each": ["AL", "RS"], "pair": ["AL-RS"], "cap-AL-full": "9"}, "cap-AL-partial"),
    ],
)
def test_a_fault_stands_beside_its_field(changes: dict[str, Any], field: str) -> None:
    wrong = form("AL", "RS", **changes)
    assert wrong.proposal(DEFAULTS) is None
    assert field in wrong.faults
    assert wrong.text("legal_basis") == "b"
    for name, value in changes.items():
        assert isinstance(value, list) or wrong.text(name) == value


@pytest.mark.parametrize("parties", [(), ("AL",), ("AL", "XX")])
def test_parties(parties: tuple[str, ...]) -> None:
    wrong = form(*parties)
    assert wrong.proposal(DEFAULTS) is None
    assert list(wrong.faults) == ["party"]
    assert not wrong.opened
    wrong.spread(DEFAULTS.parties)
    assert wrong.each == []


def test_what_the_service_says() -> None:
    """A moment that has passed is said beside its field, everything else above the form."""
    late, other = form("AL", "RS"), form("AL", "RS")
    late.refuse(OrderError(quoted("the time for consents is over")))
    other.refuse(InputError(quoted("the registry does not know XX")))
    assert (late.faults["consent_by"].message, late.refusal) == (proposal_form.PASSED, None)
    assert (other.faults, other.refusal) == ({}, quoted("the registry does not know XX"))


def test_moments_are_this_machines() -> None:
    assert proposal_form._moment(proposal_form.written(1_800_000_000)) == 1_800_000_000
    assert zone()


DRAFT = RoundProposal(
    participants=("AL", "RS", "SI"),
    title="2026-04 Foreign fighters",
    **WORDS,
    mode=Mode.LISTS_AND_QUERIES,
    rules="exact",
    window=WINDOW,
    padding=Padding(inputs_per_record=(), records_multiple=1),
    retention_days=30,
)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"pairs": (("AL", "RS"), ("RS", "SI"))},
        {"caps": tuple(PartyCap(party=one, elements=DEFAULTS.caps) for one in ("AL", "RS", "SI"))},
        {
            "caps": tuple(
                PartyCap(party=one, elements=ClassCounts(full=at, partial=2, coarse=3))
                for at, one in enumerate(("AL", "RS", "SI"))
            )
        },
    ],
)
def test_a_proposal_that_is_filled_in_is_proposed_as_it_is(more: dict[str, Any]) -> None:
    """The form shows all of it; where parties or pairs differ, in its second step."""
    draft = DRAFT.model_copy(update=more)
    shown = proposal_form.fresh(DEFAULTS.model_copy(update={"draft": draft}))
    fields = [*shown.texts.items(), *(("party", one) for one in shown.parties)]
    fields += [("each", one) for one in shown.each] + [("pair", one) for one in shown.pairs]
    found = proposal_form.typed(SubmittedForm(FormData(fields)), DEFAULTS).proposal(DEFAULTS)
    assert found is not None
    assert found.window is not None
    assert all(0 <= at - getattr(found.window, name) < 60 for name, at in WINDOW.model_dump().items())
    each = {"caps", "pairs", "window"}
    assert found.model_dump(exclude=each) == draft.model_dump(exclude=each)
    assert set(found.pairs) == set(draft.pairs) or not draft.pairs
    assert found.caps == (
        draft.caps or tuple(PartyCap(party=one, elements=DEFAULTS.caps) for one in found.participants)
    )
    assert bool(shown.each) is bool(more and (draft.pairs or len({one.elements for one in draft.caps}) > 1))
