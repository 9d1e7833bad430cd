"""Answers asked of a person, typed or read from a file or stdin by scripts, and small files that a command line names.

Nothing secret, and no name of a person who is looked for, ever stands in a command line, where every user of the
machine could read it.
"""

import sys
from getpass import getpass
from pathlib import Path

from aquila.errors import InputError
from services.kit.storage.files import check_private


def ask(what: str, file: Path | None = None, *, echo: bool = False) -> str:
    """Return a secret, or with an echo what only the machine's other users must not see.

    Args:
        what: What it is, for the person.
        file: Where it lies instead; its first line counts.
        echo: Whether the person sees what is typed.

    Raises:
        InputError: The file cannot be read, or nothing was given.
        KeyMaterialError: The file of a secret is open to others.
    """
    try:
        if file is not None:
            if not echo and file.is_file():  # a pipe is nobody else's
                check_private(file)
            given = file.read_text(encoding="utf-8").partition("\n")[0]
        elif sys.stdin.isatty() and not echo:
            given = getpass(f"{what}: ")
        else:
            if sys.stdin.isatty():
                print(f"{what}: ", end="", file=sys.stderr, flush=True)
            given = sys.stdin.readline()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("file_unreadable", file=file, kind=type(error).__name__) from None
    given = given.strip("\r\n")
    if not given:
        raise InputError("prompt_input_missing", what=what.lower())
    return given


def ask_new_password(file: Path | None = None) -> str:
    """Return a new password, typed twice by a person; raises InputError if the two differ, or as `ask`."""
    given = ask("New password", file)
    if file is None and sys.stdin.isatty() and ask("The same again") != given:
        raise InputError("passwords_differ")
    return given


_LARGEST = 1 << 20


def read_file(path: Path) -> bytes:
    """Return the content of a file.

    Raises:
        InputError: It cannot be read, or has more than a mebibyte; the message names it.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise InputError("option_file_unreadable", path=path, fault=error.strerror or type(error).__name__) from None
    if len(content) > _LARGEST:
        raise InputError("given_file_too_large", path=path)
    return content
