"""The role table as it is shown, with the operations of each role."""

from __future__ import annotations

from aquila.audit.roles import Action, RoleTable, Service
from clients.cli.output.screen import Table
from clients.sdk.operations import operations


def document(table: RoleTable) -> dict[str, object]:
    """Return the table for programs, with the operations that each role may call (`aquila call`)."""
    return {
        service.value: {
            row.role.value: {
                "means": row.means,
                "actions": sorted(row.actions),
                "operations": [name for name, one in operations(service.value).items() if one.action in row.actions],
            }
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
        "What two persons do together (a consent, a submission, a standing query, the proposal or abort of a round, a "
        "change of the registry and its acceptance) one asks for and another approves, whatever roles the two have. "
        "The key in a home folder acts as administrator."
    )
    return shown
