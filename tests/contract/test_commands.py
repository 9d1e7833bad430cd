"""Every command against the role table: each that speaks to a service is one action of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typer.main import get_command

from aquila.audit.roles import Service, role_table
from clients.cli.main import app
from clients.cli.output.role_views import COMMANDS, document

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


LOCAL_COMMANDS = frozenset(
    {
        "audit prove-consistency", "audit prove-inclusion", "audit verify", "backup-key", "bench", "code", "demo",
        "doctor", "enrol", "login", "matcher backup", "matcher init", "matcher renew-certificate",
        "matcher renew-people-key", "matcher renew-token", "matcher restore", "matcher serve", "node backup",
        "node init", "node join", "node renew-ca", "node renew-certificate", "node renew-identity",
        "node renew-people-key", "node renew-token", "node restore", "node serve", "node train", "party card",
        "party register", "records template", "rehearse", "roles", "rules compare", "rules explain", "rules list",
        "web",
    }
)  # fmt: skip
"""Commands that need nobody's permission: they work on files alone, or are how a person gets in."""


STABLE_OPTIONS = {
    "rehearse": "--party --out --report --minimum --rules --padding --workers --backend --json",
    "audit prove-inclusion": "--leaf-hash --index --size --root --node --json",
    "audit prove-consistency": "--size1 --size2 --root1 --root2 --node --json",
    "bench": "--out --quick --parties --records --rules --backend --queries --count --services --lists --json",
}
"""Options that scripts of others use: none goes or gets another name."""


def every_command(command: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield all commands by their names, such as `round list`."""
    children = getattr(command, "commands", None)
    if children is None:
        yield name, command
        return
    for word, child in children.items():
        yield from every_command(child, f"{name} {word}".strip())


def test_every_command_is_one_action_or_local() -> None:
    """A new command is entered in one of the two lists, and nothing is in both or in none."""
    assert not COMMANDS.keys() & LOCAL_COMMANDS
    assert {name for name, _ in every_command(get_command(app))} == COMMANDS.keys() | LOCAL_COMMANDS


def test_every_command_is_somebodys() -> None:
    """Each command is an action that a role of one of the services may do, and `aquila roles` says whose."""
    table = role_table()
    for name, action in COMMANDS.items():
        assert any(table.holders(service, action) for service in Service), name
    shown = str(document(table))
    assert all(f"'{name}'" in shown for name in COMMANDS)


def test_every_command_that_speaks_to_a_service_reads_the_same_environment() -> None:
    """Home, address and CA can be named once for all commands, as the operations page says."""
    speaking = set()
    read = {"home": "AQUILA_HOME", "url": "AQUILA_URL", "ca": "AQUILA_CA"}
    for name, command in every_command(get_command(app)):
        options = {option.name: option.envvar for option in command.params if option.name in read}
        if "url" in options:
            assert options == read, name
            speaking.add(name)
    assert len(speaking) > len(COMMANDS) // 2


def test_options_that_others_rely_on_stay() -> None:
    """Options of the commands that scripts call are as they were; a new one may come."""
    commands = dict(every_command(get_command(app)))
    for name, options in STABLE_OPTIONS.items():
        assert set(options.split()) <= {word for option in commands[name].params for word in option.opts}, name
