"""Roles: who may do what at a node and at the matcher. The table is data (`roles.toml`); this module reads it.

Every call of an operator's interface and every command that speaks to a service stands for exactly one action. What
the log says of a person is a pseudonymous id and the roles; whose it is, only the service's administrator knows.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from types import MappingProxyType


class Service(StrEnum):
    """The kind of service where a person has an account."""

    NODE = "node"
    MATCHER = "matcher"


class Role(StrEnum):
    """The task of a person."""

    OFFICER = "officer"
    APPROVER = "approver"
    ANALYST = "analyst"
    AUDITOR = "auditor"
    DATA_PROTECTION_OFFICER = "data_protection_officer"
    ADMINISTRATOR = "administrator"
    SECRETARIAT = "secretariat"


class Action(StrEnum):
    """An action of a person: one for each kind of call."""

    OWN_SESSION = "session.own"
    SEE_STATUS = "status.see"
    MANAGE_PEOPLE = "people.manage"
    MANAGE_REGISTRY = "registry.manage"
    SEE_ROUNDS = "rounds.see"
    SEE_APPROVALS = "approvals.see"
    DECIDE_APPROVALS = "approvals.decide"
    WITHDRAW_REQUEST = "approvals.withdraw"
    CHECK_RECORDS = "records.check"
    IMPORT_RECORDS = "records.import"
    LIST_RECORDS = "records.list"
    COMPARE_RECORDS = "records.compare"
    SEARCH_RECORDS = "records.search"
    DELETE_RECORDS = "records.delete"
    ERASE_RECORD = "records.erase"
    ASK_CONSENT = "consent.ask"
    ASK_SUBMISSION = "submission.ask"
    SEE_QUERIES = "queries.see"
    PROPOSE_ROUND = "round.propose"
    CLOSE_ROUND = "round.close"
    ABORT_ROUND = "round.abort"
    RELEASE_ALARM = "alarms.release"
    SEE_HITS = "hits.see"
    DECIDE_HITS = "hits.decide"
    WITHDRAW_HITS = "hits.withdraw"
    EXPORT_HITS = "hits.export"
    SEE_LOG = "log.see"
    EXPORT_LOG = "log.export"
    ACKNOWLEDGE_LOG = "log.acknowledge"
    REVIEW_LOOKS = "looks.review"
    ANSWER_SUBJECTS = "subjects.answer"
    SEE_STATISTICS = "statistics.see"
    SIGN_REPORT = "report.sign"


FOR_PEOPLE = frozenset(
    {
        Action.OWN_SESSION,
        Action.MANAGE_PEOPLE,
        Action.MANAGE_REGISTRY,
        Action.DECIDE_APPROVALS,
        Action.RELEASE_ALARM,
        Action.ACKNOWLEDGE_LOG,
        Action.SIGN_REPORT,
        Action.REVIEW_LOOKS,
        Action.ANSWER_SUBJECTS,
    }
)
"""Actions that no program does, whatever its role: a person signs in, decides and answers for them."""


@dataclass(frozen=True, slots=True)
class RoleRow:
    """One role at one service: what it is for in words, and what it may do."""

    service: Service
    role: Role
    means: str
    actions: frozenset[Action]


@dataclass(frozen=True, slots=True)
class RoleTable:
    """All rows, by service and role."""

    rows: Mapping[tuple[Service, Role], RoleRow]

    def allows(self, service: Service, roles: Iterable[Role], action: Action) -> bool:
        """Return whether one of the roles may do this at a service; a role that it does not know may do nothing."""
        return any((service, role) in self.rows and action in self.rows[service, role].actions for role in roles)

    def roles_of(self, service: Service) -> tuple[Role, ...]:
        """Return the roles that accounts of a service can have."""
        return tuple(role for place, role in self.rows if place is service)

    def for_programs(self, service: Service) -> tuple[Role, ...]:
        """Return the roles that a program's account can have: those with nothing for people but a session."""
        return tuple(
            role
            for role in self.roles_of(service)
            if not self.rows[service, role].actions & FOR_PEOPLE - {Action.OWN_SESSION}
        )

    def holders(self, service: Service, action: Action) -> tuple[Role, ...]:
        """Return the roles that may do this at a service."""
        return tuple(role for role in self.roles_of(service) if action in self.rows[service, role].actions)


@cache
def role_table() -> RoleTable:
    """Return the table."""
    content = tomllib.loads(resources.files("aquila.audit").joinpath("roles.toml").read_text("utf-8"))
    rows = [
        RoleRow(Service(service), Role(role), row["means"], frozenset(map(Action, row["actions"])))
        for service, roles in content.items()
        for role, row in roles.items()
    ]
    return RoleTable(MappingProxyType({(row.service, row.role): row for row in rows}))
