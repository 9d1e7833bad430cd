"""Errors that a service adds to the core's tree, and the table of problems with both.

`StoreError`, `PeerUnavailableError`, `BusyError` and `ExecutorError` are worth another try: their problems carry
`Retry-After`.
"""

from collections.abc import Mapping
from types import MappingProxyType

from aquila.errors import AquilaError, ExecutorError, InputError, KeyMaterialError, PolicyError
from aquila.protocol import problems
from aquila.protocol.problems import ProblemTable, ProblemType


class StoreError(AquilaError):
    """The database or the disk failed; nothing was changed, and the same call may be tried again."""


class StoreFullError(StoreError):
    """The disk or the quota is full; nothing was changed."""


class RoundDamagedError(StoreError):
    """The stored events of one round do not hold together; the others go on."""


class ForgedRowError(StoreError):
    """A row that this service did not write: somebody changed the database. It is not acted on."""


class Pkcs11Error(StoreError):
    """The PKCS#11 token with the identity key cannot be used; nothing was signed, and it may be tried again."""


class StoreConflictError(StoreError):
    """A row that is there already, or that a constraint forbids; nothing was changed."""


class ExposedSecretError(KeyMaterialError):
    """A secret, or a folder of secrets, is open to group or others; it is not lost, and is read once it is closed."""


class PeerUnavailableError(AquilaError):
    """The peer cannot be reached, or answers that it is unavailable; `retry_after` has the seconds it asked for."""


class PeerFullError(PeerUnavailableError):
    """The peer is there and has no room now; what was to be sent waits, and everything else goes on."""


class PeerFailedError(PeerUnavailableError):
    """The peer is there and cannot do this one call now, though it may do others."""


class BusyError(AquilaError):
    """Too many callers at once ask for what costs much; nothing was done, and the same call may be repeated."""


class NotReadyError(AquilaError):
    """The service runs and cannot do its work now: the answer to its supervisor."""


class NotFoundError(InputError):
    """Names a round, submission or chunk that is not here."""


class MisdirectedError(InputError):
    """Calls the service by a name that is not its own."""


class LengthRequiredError(InputError):
    """A body whose length is not declared, such as one in chunks."""


class BodyTooLargeError(InputError):
    """A body over the service's limit."""


class UnknownCallerError(PolicyError):
    """A caller without a session, and without the key of the service's home folder."""


class SignInError(UnknownCallerError):
    """Login, password or code are wrong, or the account is locked; the message does not distinguish them."""


class NotAllowedError(PolicyError):
    """A caller whose roles do not allow this."""


class TooManyCallsError(PolicyError):
    """A caller that comes too often; the field `retry_after` has the seconds until it may come again."""


PROBLEMS: ProblemTable = MappingProxyType(
    dict(problems.PROBLEMS)
    | {
        # 503 with Retry-After: nothing was changed, and the same call may succeed later. 507 says more of a full disk,
        # but clients and proxies know to wait on 503 only.
        StoreError: ProblemType("store", "The service's store failed", 503),
        StoreFullError: ProblemType("store-full", "The service's disk is full", 503),
        ForgedRowError: ProblemType("forged-row", "The database was changed by somebody else", 503),
        RoundDamagedError: ProblemType("round-damaged", "What is stored of the round does not hold together", 503),
        Pkcs11Error: ProblemType("pkcs11", "The PKCS#11 token with the service's key cannot be used", 503),
        PeerUnavailableError: ProblemType("peer-unavailable", "The peer is away", 503),
        PeerFullError: ProblemType("peer-full", "The peer has no room", 503),
        PeerFailedError: ProblemType("peer-failed", "The peer cannot do this now", 503),
        BusyError: ProblemType("busy", "Too many callers at once", 503),
        NotReadyError: ProblemType("not-ready", "The service cannot do its work now", 503),
        # 409: trying again gives the same answer.
        StoreConflictError: ProblemType("store-conflict", "The store has a conflicting entry", 409),
        ExposedSecretError: ProblemType("exposed-secret", "Others on the service's machine can read a secret", 500),
        NotFoundError: ProblemType("not-found", "There is nothing of this name", 404),
        MisdirectedError: ProblemType("misdirected", "The service has another name", 421),
        LengthRequiredError: ProblemType("length-required", "The length of the body is not declared", 411),
        BodyTooLargeError: ProblemType("body-too-large", "The body is over the service's limit", 413),
        UnknownCallerError: ProblemType("unknown-caller", "Nobody who is known here", 401),
        SignInError: ProblemType("sign-in", "Login, password or code are not right", 401),
        NotAllowedError: ProblemType("not-allowed", "The roles do not allow this", 403),
        TooManyCallsError: ProblemType("too-many-calls", "The caller comes too often", 429),
    }
)

# Seconds to wait before the same call is worth another try: a full disk needs a person, the others need a moment.
RETRY_AFTER: Mapping[type[AquilaError], int] = MappingProxyType(
    {StoreFullError: 300, StoreError: 5, PeerUnavailableError: 10, BusyError: 5, NotReadyError: 5, ExecutorError: 10}
)


def problem_of(error: AquilaError, instance: str = "") -> dict[str, object]:
    """Return the problem document of an error of the core or of a service."""
    return problems.problem_of(error, instance, PROBLEMS)


def error_from_problem(document: bytes | Mapping[str, object]) -> AquilaError:
    """Return the error that a service's problem document describes; see `aquila.protocol.problems`."""
    return problems.error_from_problem(document, PROBLEMS)


def retry_after_of(error: AquilaError) -> int | None:
    """Return the seconds after which the same call is worth another try, or None where it is not."""
    if isinstance(error, StoreConflictError):
        return None
    asked = error.fields.get("retry_after")
    if isinstance(asked, int):
        return asked
    return next((seconds for kind, seconds in RETRY_AFTER.items() if isinstance(error, kind)), None)
