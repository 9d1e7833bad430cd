"""The work of a SQLite database, counted: statements, and steps of its virtual machine, which rows that are read cost.

Steps are the same on every machine and under every load, so a test compares them where it means time.
"""

from typing import Any

from sqlalchemy import event

from services.kit.storage.store import Store

_STEPS = 20  # of the virtual machine, that are counted at once


class DatabaseWork:
    def __init__(self, store: Store) -> None:
        self._statements = self._steps = 0
        event.listen(store.engine, "before_cursor_execute", self._count)
        event.listen(store.engine, "checkout", self._watch)

    def taken(self) -> tuple[int, int]:
        """Return how many statements and steps there were since this was asked last."""
        found = self._statements, self._steps
        self._statements = self._steps = 0
        return found

    def _count(self, *_: Any) -> None:
        self._statements += 1

    def _watch(self, connection: Any, *_: Any) -> None:
        connection.set_progress_handler(self._step, _STEPS)

    def _step(self) -> int:
        self._steps += _STEPS
        return 0
