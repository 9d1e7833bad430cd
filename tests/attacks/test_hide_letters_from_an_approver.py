"""An author, a party or a matcher wants an approver to read another text than the one that is approved.

Texts that people give here are refused where a letter of them cannot be seen; in others' texts each such letter is
shown.
"""

from typing import Any

import pytest
from markupsafe import Markup

from clients.web.app.site import environment_of
from tests.support.node_world import HEADER, JUSTIFICATION, LISTS, World

HIDDEN = ["\u202e", "\u2066", "\u200b", "\u00ad", "\ufeff", "\u3164", "\u2800", "\U000e0041"]


async def test_no_text_that_is_approved_has_a_hidden_letter(world: World) -> None:
    """Neither a justification, nor a proposal, nor a reason, nor the name of a list; what can be seen is taken."""
    round_id, node = await world.begin(lists=False), world.nodes["AL"]
    import_id = await node.load(HEADER + LISTS["AL"])
    for hidden in HIDDEN:
        text = f"a lawful{hidden} text"
        why = JUSTIFICATION | {"purpose": text}
        wanted = {"import_id": import_id, "kind": "list", "justification": why}
        answers = [
            await node.post(f"/rounds/{round_id}/submissions", json=wanted),
            await node.post(f"/rounds/{round_id}/abort", json={"reason": text}),
            await node.post("/imports", params={"name": text}, content=(HEADER + LISTS["AL"]).encode()),
            await node.post(f"/approvals/{'0' * 32}/refuse", json={"reason": text}),
            await world.operator.post("/v1/operator/rounds", json=proposal(text)),
        ]
        assert [answer.status_code for answer in answers] == [422] * len(answers), repr(hidden)
        assert not any(hidden in answer.text for answer in answers)
    assert (await world.operator.post("/v1/operator/rounds", json=proposal("закон, član 5"))).status_code == 202


def proposal(text: str) -> dict[str, Any]:
    words = {"area": "a", "legal_basis": text, "purpose": "c", "category": "d"}
    return {"participants": ["AL", "RS"], **words}


@pytest.mark.parametrize("hidden", HIDDEN)
def test_pages_show_what_others_hide(hidden: str) -> None:
    """What a matcher of others signs is not refused for it: each letter is named, as text and within a sentence."""
    template = environment_of("en").from_string("{{ text }} {{ markup }}")
    shown = template.render(text=f"<b>{hidden}", markup=Markup(f"<b>{hidden}</b>"))  # noqa: S704 - a fixed text
    name = f"[U+{ord(hidden):04X}]"
    assert shown == f"&lt;b&gt;{name} <b>{name}</b>"
