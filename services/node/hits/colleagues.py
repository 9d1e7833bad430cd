"""People of this node behind hits: their names, which only its own people see, and the hits that they look after."""

from __future__ import annotations

from sqlalchemy import select

from aquila.audit.roles import Action, Role, Service, role_table
from aquila.errors import InputError
from aquila.followup.lifecycle import LifecycleStep, LifecycleStepKind
from aquila.interface.hits import AssignmentRequest, Colleague, Colleagues
from services.kit.actor import Actor
from services.kit.people.tables import AccountRow
from services.kit.storage.store import Store
from services.node.context import Journal
from services.node.hits import lifecycle


def list_colleagues(store: Store) -> Colleagues:
    """Return the people who may look after hits now, by name."""
    query = select(AccountRow).where(AccountRow.active, AccountRow.admitted)
    with store.reading("colleague.list") as session:
        rows = [row for row in session.scalars(query) if _may_decide(row)]
    found = [Colleague(person=row.person, name=row.name or row.login) for row in rows]
    return Colleagues(colleagues=tuple(sorted(found, key=lambda one: (one.name, one.person))))


def assign(journal: Journal, actor: Actor, wanted: AssignmentRequest) -> None:
    """Let a person look after hits, or nobody; all of them, or none where one cannot be assigned.

    Raises:
        InputError: There is no such person, or one who may not decide on hits.
        NotFoundError: The node holds no such hit.
        OrderError: A hit is closed or withdrawn.
    """
    step = LifecycleStep(
        LifecycleStepKind.ASSIGNED, journal.clock(), actor.person, reference=wanted.person or "", remark=wanted.remark
    )
    with journal.store.transaction("hit.assign") as session:
        row = session.get(AccountRow, wanted.person) if wanted.person else None
        if wanted.person and (row is None or not row.active or not _may_decide(row)):
            raise InputError("colleague_unknown")
        for key in dict.fromkeys(wanted.hits):
            hit = lifecycle.hit_row(session, key.round_id, key.hit_id)
            lifecycle.apply_step(session, journal, hit, step, actor)


def _may_decide(row: AccountRow) -> bool:
    return role_table().allows(Service.NODE, map(Role, row.roles), Action.DECIDE_HITS)
