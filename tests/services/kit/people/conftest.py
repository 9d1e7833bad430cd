"""The people of a node on a fresh database."""

from tests.support.accounts import clock, member, people

__all__ = ["clock", "member", "people"]
