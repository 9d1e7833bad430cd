"""Exit codes: every exit code of `aquila`, and the errors that lead to it.

0    done
1    refused, or the answer is no: a file, a row, a step or a wish that cannot be accepted, a log that does not hold
2    the command line cannot be understood
3    the node, the matcher or a peer is away: the same command may succeed later
4    a peer broke the protocol: its signature, proof or bytes are wrong
5    keys, database or disk of this machine need a person
70   a fault of Aquila itself
130  interrupted
"""

from enum import IntEnum

from aquila import errors
from services.kit.errors import PeerUnavailableError, StoreConflictError, StoreError


class ExitCode(IntEnum):
    """The exit code that the command returns to its caller."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    AWAY = 3
    PROTOCOL = 4
    MACHINE = 5
    FAULT = 70
    INTERRUPTED = 130


_CODES: dict[type[errors.AquilaError], ExitCode] = {
    PeerUnavailableError: ExitCode.AWAY,
    StoreConflictError: ExitCode.REFUSED,
    StoreError: ExitCode.MACHINE,
    errors.KeyMaterialError: ExitCode.MACHINE,
    errors.RestoredBackupError: ExitCode.MACHINE,
    errors.ExecutorError: ExitCode.MACHINE,
    errors.SignatureError: ExitCode.PROTOCOL,
    errors.ProofError: ExitCode.PROTOCOL,
    errors.SealError: ExitCode.PROTOCOL,
    errors.DigestError: ExitCode.PROTOCOL,
    errors.MalformedError: ExitCode.PROTOCOL,
    errors.BindingError: ExitCode.PROTOCOL,
    errors.EquivocationError: ExitCode.PROTOCOL,
    errors.AquilaError: ExitCode.REFUSED,
}


def exit_code_of(error: errors.AquilaError) -> ExitCode:
    """Return the exit code of an error, or of its nearest ancestor that has one."""
    return next(_CODES[kind] for kind in type(error).__mro__ if kind in _CODES)
