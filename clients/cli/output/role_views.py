"""The role table as it is shown, and which action each command is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila.audit.roles import Action, Service
from clients.cli.output.screen import Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aquila.audit.roles import RoleRow, RoleTable

COMMANDS: Mapping[str, Action] = {
    "node status": Action.SEE_STATUS,
    "matcher status": Action.SEE_STATUS,
    "whoami": Action.OWN_SESSION,
    "logout": Action.OWN_SESSION,
    "user add": Action.MANAGE_PEOPLE,
    "user list": Action.MANAGE_PEOPLE,
    "user admit": Action.MANAGE_PEOPLE,
    "user reset": Action.MANAGE_PEOPLE,
    "user roles": Action.MANAGE_PEOPLE,
    "user activate": Action.MANAGE_PEOPLE,
    "user deactivate": Action.MANAGE_PEOPLE,
    "party registry": Action.MANAGE_REGISTRY,
    "party accept": Action.MANAGE_REGISTRY,
    "matcher invite": Action.MANAGE_REGISTRY,
    "matcher admit": Action.MANAGE_REGISTRY,
    "matcher move": Action.MANAGE_REGISTRY,
    "matcher renew-ca": Action.MANAGE_REGISTRY,
    "matcher renew-identity": Action.MANAGE_REGISTRY,
    "matcher replace-key": Action.MANAGE_REGISTRY,
    "matcher remove": Action.MANAGE_REGISTRY,
    "matcher state-registry": Action.MANAGE_REGISTRY,
    "approval list": Action.SEE_APPROVALS,
    "approval show": Action.SEE_APPROVALS,
    "approval approve": Action.DECIDE_APPROVALS,
    "approval refuse": Action.DECIDE_APPROVALS,
    "approval withdraw": Action.WITHDRAW_REQUEST,
    "records check": Action.CHECK_RECORDS,
    "records import": Action.IMPORT_RECORDS,
    "records deliveries": Action.CHECK_RECORDS,
    "records import-delivery": Action.IMPORT_RECORDS,
    "records duplicates": Action.COMPARE_RECORDS,
    "records search": Action.SEARCH_RECORDS,
    "records show": Action.SEARCH_RECORDS,
    "round list": Action.SEE_ROUNDS,
    "round show": Action.SEE_ROUNDS,
    "round watch": Action.SEE_ROUNDS,
    "round propose": Action.PROPOSE_ROUND,
    "round consent": Action.ASK_CONSENT,
    "round submit": Action.ASK_SUBMISSION,
    "round hits": Action.SEE_HITS,
    "query ask": Action.ASK_SUBMISSION,
    "query list": Action.SEE_QUERIES,
    "query show": Action.SEE_QUERIES,
    "query watch": Action.ASK_SUBMISSION,
    "query watches": Action.SEE_QUERIES,
    "query show-watch": Action.SEE_QUERIES,
    "query prolong": Action.ASK_SUBMISSION,
    "query withdraw": Action.ASK_SUBMISSION,
    "hit list": Action.SEE_HITS,
    "hit show": Action.SEE_HITS,
    "hit acknowledge": Action.DECIDE_HITS,
    "hit decide": Action.DECIDE_HITS,
    "hit decide-many": Action.DECIDE_HITS,
    "hit undo": Action.DECIDE_HITS,
    "hit assign": Action.DECIDE_HITS,
    "hit close-many": Action.DECIDE_HITS,
    "hit reply": Action.DECIDE_HITS,
    "hit follow-up": Action.DECIDE_HITS,
    "hit reference": Action.DECIDE_HITS,
    "hit permit": Action.DECIDE_HITS,
    "hit close": Action.DECIDE_HITS,
    "hit reopen": Action.DECIDE_HITS,
    "hit withdraw": Action.WITHDRAW_HITS,
    "hit letter": Action.EXPORT_HITS,
    "node suggest-round": Action.SUGGEST_ROUND,
    "node suggestions": Action.SEE_ROUNDS,
    "matcher suggestions": Action.SEE_ROUNDS,
    "matcher set-aside": Action.PROPOSE_ROUND,
    "node erase-record": Action.ERASE_RECORD,
    "matcher statistics": Action.SEE_STATISTICS,
    "round safeguards": Action.SEE_ROUNDS,
    "round release": Action.RELEASE_ALARM,
    "round refuse-answer": Action.RELEASE_ALARM,
    "round close": Action.CLOSE_ROUND,
    "round abort": Action.ABORT_ROUND,
    "audit status": Action.SEE_STATUS,
    "audit show": Action.SEE_LOG,
    "audit export": Action.EXPORT_LOG,
    "audit acknowledge": Action.ACKNOWLEDGE_LOG,
}
"""Each command that speaks to a service, and the action that it is there."""


def document(table: RoleTable) -> dict[str, object]:
    """Return the table for programs."""
    return {
        service.value: {
            row.role.value: {"means": row.means, "actions": sorted(row.actions), "commands": _commands(row)}
            for row in table.rows.values()
            if row.service is service
        }
        for service in Service
    }


def tables(table: RoleTable) -> list[Table | str]:
    """Return the table for people: for each role what it is for, and what it may do."""
    shown: list[Table | str] = []
    for service in Service:
        rows = [row for row in table.rows.values() if row.service is service]
        shown.append(
            Table(f"At the {service}", ("role", "is there for"), [(row.role.value, row.means) for row in rows])
        )
        actions = [action for action in Action if any(action in row.actions for row in rows)]
        cells = [(action.value, *("yes" if action in row.actions else "" for row in rows)) for action in actions]
        shown.append(Table("", ("action", *(row.role.value for row in rows)), cells))
    shown.append(
        "What two persons do together (a consent, a submission, a standing query, the proposal or abort of a round) "
        "one asks for and another approves, whatever roles the two have. "
        "The key in a home folder acts as administrator."
    )
    return shown


def _commands(row: RoleRow) -> list[str]:
    return [name for name, action in COMMANDS.items() if action in row.actions]
