"""Sentences of `followup`."""

from __future__ import annotations

from typing import Final

from aquila.sentences.sentence import Table, Text

FOLLOWUP: Final[Table] = {
    "handling_code_blocks_export": Text(
        "the handling code {handling} blocks an export without the originator's permission",
        "record the permission that was given: `aquila call permit`",
    ),
    "hit_acknowledged": Text("acknowledged", "decide first: `aquila call decide`"),
    "hit_already_withdrawn": Text("the hit was withdrawn already", "a withdrawal cannot be undone"),
    "hit_closed": Text("closed", "reopen it first, with a reason: `aquila call reopen_hit`"),
    "hit_decided": Text("decided", "open a follow-up first: `aquila call open_follow_up`"),
    "hit_follow_up": Text("in follow-up"),
    "hit_known": Text("known", "decide first: `aquila call decide`"),
    "hit_new": Text("new", "decide first: `aquila call decide`"),
    "hit_on_another_person": Text(
        "a hit on another person is not followed up", "decide again if that was wrong, or close the hit"
    ),
    "hit_step_not_allowed": Text("a hit that is {stage} cannot be {step}"),
    "hit_withdrawn": Text("withdrawn", "a withdrawal cannot be undone"),
    "last_step_not_decision": Text("the last step of this hit is not a decision", "decide again if it was wrong"),
    "reopening_reason_missing": Text("a closed hit is reopened with a reason", "say why; it stays at this node"),
    "reply_without_follow_up": Text("a reply belongs to a follow-up, and none was opened"),
    "step_acknowledged": Text("acknowledged"),
    "step_assigned": Text("assigned"),
    "step_carried": Text("carried on"),
    "step_closed": Text("closed"),
    "step_decided": Text("decided"),
    "step_exported": Text("exported"),
    "step_opened": Text("followed up"),
    "step_permitted": Text("given a permission"),
    "step_referenced": Text("given a reference"),
    "step_remarked": Text("remarked on"),
    "step_reopened": Text("reopened"),
    "step_replied": Text("given a reply"),
    "step_undone": Text("undone"),
    "step_withdrawn": Text("withdrawn"),
}
