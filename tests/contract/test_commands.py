"""Every command and every operation: what they share, and whose they are."""

import re
from typing import Any

from aquila.audit.roles import role_table
from aquila.sentences import SENTENCES
from clients.cli.services.people import role_document
from clients.sdk.operations import operations
from tests.support.commands import every_command, loaded_command

STABLE_OPTIONS = {"rehearse": "--party --out --report --minimum --rules --padding --workers --backend --json"}
"""Options that scripts of others use: none goes or gets another name."""


def test_every_operation_is_somebodys() -> None:
    """Each operation is an action that a role of its service may do, and `aquila roles --json` says whose."""
    shown: Any = role_document(role_table())
    for service in ("node", "matcher"):
        of_roles = {name for role in shown[service].values() for name in role["operations"]}
        assert of_roles == operations(service).keys()
    assert "post_round" in shown["matcher"]["secretariat"]["operations"]
    assert "get_hits" not in shown["node"]["officer"]["operations"]


def test_every_command_that_speaks_to_a_service_reads_the_same_environment() -> None:
    """Home, address and CA can be named once for all commands, as the operations page says."""
    speaking = set()
    read = {"home": "AQUILA_HOME", "url": "AQUILA_URL", "ca": "AQUILA_CA"}
    for name, command in every_command(loaded_command()):
        options = {option.name: option.envvar for option in command.params if option.name in read}
        if "url" in options:
            assert options == read, name
            speaking.add(name)
    assert len(speaking) > 10


def test_options_that_others_rely_on_stay() -> None:
    """Options of the commands that scripts call are as they were; a new one may come."""
    commands = dict(every_command(loaded_command()))
    for name, options in STABLE_OPTIONS.items():
        assert set(options.split()) <= {word for option in commands[name].params for word in option.opts}, name


def test_hints_name_commands_that_exist() -> None:
    """Whoever follows a hint finds the command, and the operation of `aquila call`."""
    commands = {name for name, _ in every_command(loaded_command())}
    calls = {f"call {name}" for service in ("node", "matcher") for name in operations(service)}
    known = commands | calls | {"call --list", "--as NAME", "--cert FILE", "--version"}
    named = [
        (code, words)
        for code, text in SENTENCES.items()
        for words in re.findall(r"`aquila ([a-z-]+(?: [\w-]+)?|--\w+(?: [A-Z]+)?)", text.hint)
    ]
    assert len(named) > 20
    assert [(code, words) for code, words in named if words not in known and words.split()[0] not in commands] == []
