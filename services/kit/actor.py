"""Who is behind an action: a pseudonymous id and the roles of the account, never a name."""

from dataclasses import dataclass

from aquila.audit.roles import Role

LOCAL_KEY = "p-000000000000"
"""Whoever holds the key in the service's home folder; no account has this id."""


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, or a program, who was let in."""

    person: str
    """The pseudonymous id, `p-` and 12 hexadecimal digits."""
    roles: frozenset[Role]
    """What the person is there for."""
    role: Role | None = None
    """The one that allows what is being done, for the log."""
    session_id: str = ""
    """The session in which it is done; empty for the local key and for a program."""
    is_program: bool = False
    """Whether it came with a program's token."""
