"""Machines of a world of processes that are lost between two rounds, and restored from a backup by documented commands.

A service is backed up while it runs, and killed. Its home goes, apart from what the safe has. It is restored as
`deploy/OPERATIONS.md` says, its people sign in again, and administrators acknowledge the alarm.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from aquila.audit.checkpoint import parse_checkpoint, parse_note
from services.kit.log.publication import CHECKPOINT_FILE
from tests.support.loaded_program import run
from tests.support.process_world import Service, World

_SECRETS = ("identity.pem", "people.key")
_AFTER_BACKUP = 2  # entries of the log that a restored service has besides: of its alarm, and that it was explained
_QUIET_SECONDS = 900.0


@dataclass
class Safe:
    """What the people of a world keep apart from its machines: the key of backups, and secrets of each service."""

    folder: Path
    world: World
    kill: Callable[[Service], None]
    new_database: Callable[[], str] | None = None
    acknowledged: int = 0

    def __post_init__(self) -> None:
        """Make the key of backups, and put the secrets of all services into the safe."""
        self.folder.mkdir()
        self._numbers = count()
        run("backup-key", "--out", str(self._key))
        for service in self.world.services.values():
            (self.folder / service.name).mkdir()
            for name in _SECRETS:
                shutil.copy(service.home / name, self.folder / service.name)

    def lose(self, service: Service) -> None:
        """Lose a service's machine, and restore it; it works again, and every witness has seen so."""
        kept = self.folder / service.name
        backup, log_size = self._back_up(service)
        words = ["--key", str(self._key), "--home", str(service.home)]
        words += [word for name in _SECRETS for word in ("--secret", str(kept / name))]
        if service.kind == "node":
            shutil.copy(service.home / "keys" / "high-water.json", kept)
            words += ["--mark", str(kept / "high-water.json")]
        if self.new_database is not None:
            words += ["--settings", str(self._settings(service, self.new_database()))]
        shutil.rmtree(service.home)
        run(service.kind, "restore", str(backup), *words)
        backup.unlink()
        service.start()
        self._sign_in(service)
        self.world.until(partial(self._goes_on, service, log_size + _AFTER_BACKUP), _QUIET_SECONDS)

    @property
    def _key(self) -> Path:
        return self.folder / "backup.key"

    def _back_up(self, service: Service) -> tuple[Path, int]:
        """Back a service up and kill it; return the backup, and how many entries of the log it has.

        Others have not seen more of the log than that. Where they have, logs never agree again: it is done once more.
        """
        while True:
            file = self.folder / service.name / f"{next(self._numbers)}.aquila"
            run(service.kind, "backup", "--home", str(service.home), "--to", f"{self._key}.pub", "--out", str(file))
            self.kill(service)
            words = (service.kind, "restore", str(file), "--key", str(self._key), "--check", "--json")
            log_size = int(json.loads(run(*words))["log_size"])
            if shown_size(service) <= log_size:
                return file, log_size
            file.unlink()
            service.start()

    def _settings(self, service: Service, url: str) -> Path:
        before, _, _ = (service.home / f"{service.kind}.toml").read_text().partition("\n[database]")
        path = self.folder / service.name / "new.toml"
        path.write_text(f'{before}\n[database]\nurl = "{url}"\n')
        return path

    def _sign_in(self, service: Service) -> None:
        """Let the people of a service sign in again: sessions are in no backup."""
        service.tokens.clear()
        for login, authenticator in list(service.authenticators.items()):
            self.world.until(authenticator.has_another_code)
            service.sign_in(login, authenticator.secret, self.world.person(login))

    def _goes_on(self, restored: Service, size: int) -> bool:
        """Acknowledge alarms; return whether there are none, and each witness has cosigned that much of the log."""
        quiet = True
        for service in self.world.services.values():
            for alarm in log_of(service)["alarms"]:
                if alarm["acknowledged_at"] is None:
                    quiet = False
                    number = f"alarm_id={alarm['alarm_id']}"
                    run("call", "post_acknowledge", number, *service.reached_by, person=self.folder)
                    self.acknowledged += 1
        if not quiet:
            return False
        seen = {one["witness"]: one["size"] for one in log_of(restored)["witnesses"]}
        witnesses = ["matcher"] if restored.kind == "node" else [node.name for node in self.world.nodes]
        return all(seen.get(name, 0) >= size for name in witnesses)


def shown_size(service: Service) -> int:
    """Return how many entries of a service's log others can have seen."""
    return parse_checkpoint(parse_note((service.home / "log" / CHECKPOINT_FILE).read_bytes()).text).size


def log_of(service: Service) -> dict[str, Any]:
    """Return a service's log at a glance, as its administrator sees it."""
    path = "/v1/operator/log" if service.kind == "matcher" else "/v1/log"
    view: dict[str, Any] = service.call((service.home / "operator.token").read_text().strip(), "GET", path)
    return view
