"""Every command of the program, whichever part of it is imported when."""

from collections.abc import Iterator
from typing import Any

from clients.cli.main import Part, whole_command


def loaded_command() -> Any:
    command = whole_command()
    for name, part in command.commands.items():
        command.commands[name] = part.load() if isinstance(part, Part) else part
    return command


def every_command(command: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield all commands by their names, such as `rules list`."""
    children = getattr(command, "commands", None)
    if children is None:
        yield name, command
        return
    for word, child in children.items():
        yield from every_command(child, f"{name} {word}".strip())
