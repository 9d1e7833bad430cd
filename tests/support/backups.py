"""Backups in tests: made of a world's services, whose machines are then lost and restored."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import httpx

from aquila.crypto.keys import SealingKey
from services.kit.administration.backup.make import BackupSummary
from services.kit.administration.backup.restore import Source
from services.matcher.backup import RestoredMatcher, back_up_matcher, restore_matcher
from services.node.backup import RestoredNode, back_up_node, restore_node
from tests.support.node_world import World, open_world

KEY = SealingKey(Random(53).randbytes(32))


@dataclass
class Safe:
    """What is kept apart from the machines of a world: backups, and copies of identity keys."""

    folder: Path
    world: World
    database: Callable[[], str] = str

    def __post_init__(self) -> None:
        """Put the identity keys into the safe."""
        self.folder.mkdir()
        for name in ("matcher", *self.world.nodes):
            (self.folder / name).mkdir()
            shutil.copy(self.world.path / name / "identity.pem", self.folder / name)

    def back_up(self, name: str) -> BackupSummary:
        """Back up a node, or the matcher, while it runs; the newest backup counts."""
        out, home = self.folder / name / "backup", self.world.path / name
        out.unlink(missing_ok=True)
        if name == "matcher":
            return back_up_matcher(home, KEY.public, out, self.world.clock)
        return back_up_node(home, KEY.public, out, self.world.clock)

    async def lose_node(self, code: str, *, mark: bool = False, erased: Sequence[str] = ()) -> RestoredNode:
        """Lose a node's machine with everything on it, restore it from its backup, and start it.

        Args:
            mark: Whether the high-water mark of the lost machine can still be read.
            erased: Identifiers of records that were erased since the backup.
        """
        party_node = self.world.nodes[code]
        await party_node.operator.aclose()
        party_node.stop()
        kept = self.folder / code / "high-water.json"
        if mark:
            shutil.copy(party_node.home / "keys" / "high-water.json", kept)
        settings = self._new_settings(party_node.home / "node.toml")
        shutil.rmtree(party_node.home)
        restored = restore_node(
            self._source(code, settings), party_node.home, kept if mark else None, erased, self.world.clock
        )
        party_node.start()
        return restored

    async def lose_matcher(self, statements: str | None = None) -> RestoredMatcher:
        """Lose the matcher's machine with everything on it, restore it, and start it and every node's connection.

        Args:
            statements: A party's file of statements on the registry.
        """
        world = self.world
        home = world.path / "matcher"
        world.app.state.context.close()
        await world.operator.aclose()
        shutil.rmtree(home)
        restored = restore_matcher(self._source("matcher", None), home, world.clock, statements)
        opened = open_world(world.path, world.clock, ())
        world.app, world.operator = opened.app, opened.operator
        for party_node in world.nodes.values():
            party_node.transport = httpx.ASGITransport(app=world.app)
            await party_node.operator.aclose()
            party_node.restart()
        return restored

    def _source(self, name: str, settings: Path | None) -> Source:
        return Source(self.folder / name / "backup", KEY, [self.folder / name / "identity.pem"], settings)

    def _new_settings(self, path: Path) -> Path | None:
        """Return settings with a new database, where the old one is none of the home's own."""
        url = self.database()
        if not url:
            return None
        before, _, _ = path.read_text().partition("\n[database]")
        settings = self.folder / "node.toml"
        settings.write_text(f'{before}\n[database]\nurl = "{url}"\n')
        return settings
