"""A Dask cluster as an executor: `distributed`, with TLS always on. Only imported where the settings ask for it.

Scheduler and workers unpickle what they are sent, so both see the shares, seeds and records of a piece of work while
it lasts. They need the same release of Aquila, and must not spill to disks; both is checked when the service connects,
and the release once more with every piece, because a worker may join later. What a piece raises is logged by the
worker that did it, so only errors of our own tree leave a piece as they are: others may quote a value.
"""

from __future__ import annotations

import contextlib
import logging
import pickle
import ssl
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from functools import partial
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import dask
from distributed import Client, Security

import aquila
from aquila.errors import AquilaError, ExecutorError, InputError
from services.kit.logging import Log
from services.kit.storage.files import check_private
from services.kit.work.open_executor import OpenExecutor

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ParamSpec

    from distributed import Worker

    from services.kit.settings import ServiceSettings

    Parameters = ParamSpec("Parameters")

_LOG = Log("kit.cluster")
_WAIT_SECONDS = 10
_CLOSE_SECONDS = 3
# A piece carries its chunk with it: megabytes are expected, and no reason for a warning.
_CONFIGURATION = {"distributed.admin.large-graph-warning-threshold": "1GB"}

Result = TypeVar("Result")


class LostWorkerError(BrokenExecutor):
    """The cluster did not do a piece: a worker or the connection is gone."""


class WorkerStatus(NamedTuple):
    """A worker's status: its release of Aquila, the number of pieces it does at once, and whether it spills."""

    release: str
    threads: int
    spills: bool


def connect(settings: ServiceSettings, wait_seconds: float = _WAIT_SECONDS) -> OpenExecutor:
    """Connect to the cluster of the settings and look at it.

    Raises:
        InputError: A certificate or key cannot be read; or the cluster runs another release of Aquila, or may spill.
        ExecutorError: The scheduler cannot be reached, or has no workers.
    """
    _check_files(settings)
    dask.config.set(_CONFIGURATION)
    _log_as_we_do()
    security = Security(  # type: ignore[no-untyped-call]  # Dask is typed in part
        require_encryption=True,
        tls_ca_file=str(settings.dask_ca_file),
        tls_client_cert=str(settings.dask_certificate_file),
        tls_client_key=str(settings.dask_key_file),
    )
    try:
        client = Client(  # type: ignore[no-untyped-call]  # likewise
            settings.dask_scheduler, security=security, timeout=wait_seconds, set_as_default=False
        )
    except (OSError, TimeoutError) as error:
        raise _unreachable(settings, error) from None
    with contextlib.ExitStack() as undo:
        undo.callback(client.close)
        try:
            client.wait_for_workers(1, timeout=wait_seconds)
            conditions = _conditions(client)
        except (OSError, TimeoutError) as error:
            raise _unreachable(settings, error) from None
        check(conditions, aquila.__version__)
        undo.pop_all()
    threads = sum(condition.threads for condition in conditions.values())
    _LOG.info("cluster_connected", count=len(conditions), url=settings.dask_scheduler)
    return OpenExecutor(ClusterExecutor(client), threads, partial(client.close, timeout=_CLOSE_SECONDS))


def check(conditions: dict[str, WorkerStatus], release: str) -> None:
    """Refuse a cluster that would compute wrongly or would keep data that it sees."""
    for address, condition in conditions.items():
        if condition.release != release:
            raise InputError(
                "dask_member_release_differs", expected=release, got=condition.release or "none", address=address
            )
        if condition.spills:
            raise InputError("dask_worker_may_spill", address=address)


def worker_status_of(dask_worker: Worker) -> WorkerStatus:
    """Return a worker's condition; runs there."""
    memory = dask_worker.memory_manager
    spills = bool(memory.memory_target_fraction) or bool(memory.memory_spill_fraction)
    return WorkerStatus(aquila.__version__, dask_worker.state.nthreads, spills)


def release_here() -> str:
    """Return the release of Aquila; runs at the scheduler."""
    return aquila.__version__


class PickledTask:
    """A message to a worker or back, pickled by us, so that Dask neither reads nor shows it.

    Left to itself, Dask takes containers apart and sends what it can by msgpack, in which a string enumeration comes
    out as a plain string and a tuple as a list.
    """

    __slots__ = ("_content",)

    def __init__(self, content: bytes) -> None:
        self._content = content

    @classmethod
    def of(cls, content: object) -> PickledTask:
        return cls(pickle.dumps(content, protocol=pickle.HIGHEST_PROTOCOL))

    def open(self) -> Any:
        """Return the content of a message; the other side is of our own zone and has a certificate of our own CA."""
        return pickle.loads(self._content)  # noqa: S301 - as the docstring says

    def __reduce__(self) -> tuple[type[PickledTask], tuple[bytes]]:
        return PickledTask, (self._content,)

    def __repr__(self) -> str:
        return f"Parcel({len(self._content)} bytes)"


def do_piece(release: str, parcel: PickledTask) -> PickledTask:
    """Do a piece of work; runs at a worker.

    Raises:
        InputError: The worker has another release of Aquila.
        AquilaError: What the function raises.
        ExecutorError: The function raised something else, of which only the kind and the place are told.
    """
    if release != aquila.__version__:
        raise InputError("dask_worker_release_differs", expected=release, got=aquila.__version__)
    try:
        function, arguments = parcel.open()
        return PickledTask.of(function(*arguments))
    except AquilaError:
        raise
    except Exception as error:  # noqa: BLE001 - the worker would log it, and its message may quote what it failed on
        place = extract_tb(error.__traceback__)[-1]
        raise ExecutorError(
            "work_failed", kind=type(error).__name__, file=Path(place.filename).name, lineno=place.lineno
        ) from None


class ClusterExecutor(Executor):
    """The cluster behind the interface of the standard library, so that `aquila.executors` need not know Dask."""

    def __init__(self, client: Client) -> None:
        # Not pure: a pure piece is named by a digest of its arguments, which would be computed over secrets.
        self._inner = client.get_executor(pure=False)  # type: ignore[no-untyped-call]  # likewise

    def submit(
        self, fn: Callable[Parameters, Result], /, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Future[Result]:
        """Hand in a piece of work; raises LostWorkerError if the connection is gone."""
        assert not kwargs, "a piece of work has its arguments by position"
        outer: Future[Result] = Future()
        parcel = PickledTask.of((fn, args))
        try:
            inner: Future[PickledTask] = self._inner.submit(do_piece, aquila.__version__, parcel)
        except Exception as error:  # noqa: BLE001 - the client's own, whatever it is today: the piece was not taken
            raise LostWorkerError(type(error).__name__) from None
        outer.add_done_callback(lambda done: inner.cancel() if done.cancelled() else None)
        inner.add_done_callback(lambda done: _pass_on(done, outer))
        return outer

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - the standard library's signature
        """Accept no more work; the client is closed by its owner."""
        self._inner.shutdown(wait=wait and not cancel_futures)


def _pass_on(inner: Future[PickledTask], outer: Future[Result]) -> None:
    """Give a piece's result or error to its caller; an error outside our tree means that the cluster failed."""
    if outer.cancelled() or not outer.set_running_or_notify_cancel():
        return
    error: BaseException | None = CancelledError() if inner.cancelled() else inner.exception()
    if error is None:
        outer.set_result(inner.result().open())
    elif isinstance(error, AquilaError):
        outer.set_exception(error)
    else:
        outer.set_exception(LostWorkerError(type(error).__name__))


def _conditions(client: Client) -> dict[str, WorkerStatus]:
    """Ask every worker for its condition, and the scheduler for its release."""
    try:
        release = client.run_on_scheduler(release_here)  # type: ignore[no-untyped-call]  # likewise
        scheduler = WorkerStatus(release, 0, spills=False)
        return {"the scheduler": scheduler, **client.run(worker_status_of)}
    except (ImportError, AttributeError):
        raise InputError("dask_cluster_lacks_release", expected=aquila.__version__) from None


def _log_as_we_do() -> None:
    """Send what Dask's client logs to our handler, which writes no foreign message, instead of its own."""
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in {"distributed", "tornado", "bokeh"}:
            logger = logging.getLogger(name)
            logger.handlers.clear()
            logger.propagate = True
            logger.setLevel(logging.WARNING)


def _check_files(settings: ServiceSettings) -> None:
    """Refuse certificates that cannot be used, before anything is connected."""
    for name in ("dask_ca_file", "dask_certificate_file", "dask_key_file"):
        path: Path | None = getattr(settings, name)
        if path is None or not path.is_file():
            raise InputError("dask_file_unreadable", file=str(path), name=name)
        if name == "dask_key_file":
            check_private(path)
    try:
        context = ssl.create_default_context(cafile=settings.dask_ca_file)
        context.load_cert_chain(str(settings.dask_certificate_file), settings.dask_key_file)
    except OSError as error:
        raise InputError("dask_certificates_unreadable", fault=error.strerror or type(error).__name__) from None


def _unreachable(settings: ServiceSettings, error: Exception) -> ExecutorError:
    return ExecutorError("dask_cluster_unusable", dask_scheduler=settings.dask_scheduler, kind=type(error).__name__)
