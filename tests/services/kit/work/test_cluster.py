"""A Dask cluster as an executor: what is refused before and while it works. Real clusters are in tests/e2e."""

import sys
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from aquila import __version__
from aquila.errors import ExecutorError, InputError, OrderError
from aquila.records.rules import InputClass
from aquila.sentences import quoted
from services.kit.settings import ServiceSettings
from services.kit.storage.files import write_secret
from services.kit.work import cluster, executors
from services.kit.work.cluster import ClusterExecutor, LostWorkerError, PickledTask, WorkerStatus, check, do_piece
from tests.support.pickled import sent


def fail(text: str) -> str:
    return str(int(text))


def refuse(text: str) -> str:
    raise OrderError(quoted("no"), got=len(text))


class Client:
    def __init__(self, outcome: object) -> None:
        self.outcome = outcome
        self.futures: list[Future[Any]] = []

    def get_executor(self, *, pure: bool) -> "Client":
        """Be its own executor; a pure piece would be named by a digest of secrets."""
        assert not pure
        return self

    def submit(self, _function: object, *_arguments: object) -> Future[Any]:
        if self.outcome is RuntimeError:
            raise RuntimeError("the client is closed")
        future: Future[Any] = Future()
        self.futures.append(future)
        if isinstance(self.outcome, BaseException):
            future.set_exception(self.outcome)
        elif self.outcome == "cancelled":
            future.cancel()
            future.set_running_or_notify_cancel()
        elif self.outcome is not None:
            future.set_result(self.outcome)
        return future


def test_another_release_is_refused() -> None:
    with pytest.raises(InputError, match="tls://b of the Dask cluster runs another release") as caught:
        check({"tls://a": WorkerStatus("1", 1, spills=False), "tls://b": WorkerStatus("2", 1, spills=False)}, "1")
    assert caught.value.fields == {"expected": "1", "got": "2", "address": "tls://b"}


def test_a_worker_that_spills_is_refused() -> None:
    with pytest.raises(InputError, match="may write what it works on"):
        check({"tls://a": WorkerStatus("1", 1, spills=True)}, "1")
    check({"tls://a": WorkerStatus("1", 1, spills=False)}, "1")


def test_a_worker_that_joined_later_refuses_pieces_of_another_release() -> None:
    with pytest.raises(InputError, match="another release"):
        do_piece("0.0.0", PickledTask.of((fail, ("1",))))
    assert do_piece(__version__, PickledTask.of((fail, ("1",)))).open() == "1"


def test_a_foreign_error_quotes_nothing() -> None:
    """A worker logs what a piece raises, so the message of a foreign error stays behind."""
    with pytest.raises(ExecutorError, match="ValueError at test_cluster") as caught:
        do_piece(__version__, PickledTask.of((fail, ("Arben Hoxha",))))
    assert "Arben" not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    with pytest.raises(OrderError):
        do_piece(__version__, PickledTask.of((refuse, ("x",))))


@pytest.mark.parametrize("outcome", [OSError("away"), "cancelled"])
def test_what_the_cluster_itself_raises_is_a_lost_worker(outcome: object) -> None:
    with pytest.raises(LostWorkerError):
        ClusterExecutor(Client(outcome)).submit(fail, "1").result(5)


def test_a_client_that_is_closed_takes_nothing() -> None:
    with pytest.raises(LostWorkerError):
        ClusterExecutor(Client(RuntimeError)).submit(fail, "1")


def test_results_and_our_own_errors_pass() -> None:
    assert ClusterExecutor(Client(PickledTask.of("7"))).submit(fail, "7").result(5) == "7"
    with pytest.raises(OrderError):
        ClusterExecutor(Client(OrderError(quoted("no")))).submit(fail, "7").result(5)


def test_a_piece_can_be_cancelled() -> None:
    client = Client(None)
    future = ClusterExecutor(client).submit(fail, "7")
    assert future.cancel()
    assert client.futures[0].cancelled()


def settings(tmp_path: Path) -> ServiceSettings:
    for name in ("ca", "service", "key"):
        write_secret(tmp_path / name, b"")
    return ServiceSettings(
        home=tmp_path,
        executor="dask",
        dask_scheduler="tls://127.0.0.1:1",
        dask_ca_file=tmp_path / "ca",
        dask_certificate_file=tmp_path / "service",
        dask_key_file=tmp_path / "key",
    )


def test_a_missing_certificate_is_named(tmp_path: Path) -> None:
    made = settings(tmp_path)
    (tmp_path / "ca").unlink()
    with pytest.raises(InputError, match="dask_ca_file"):
        cluster.connect(made)


def test_a_certificate_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no certificates"):
        cluster.connect(settings(tmp_path))


def test_dask_is_named_where_it_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "services.kit.work.cluster")
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delattr("services.kit.work.cluster")
    with pytest.raises(InputError, match="not installed"):
        executors.executor_handle_of(settings(tmp_path), []).start()


def test_a_parcel_keeps_what_dask_would_change_and_shows_nothing() -> None:
    """String enumerations and tuples come out as they went in; the representation has the size alone."""
    content = {InputClass.FULL: (b"secret of a share", "Arben")}
    parcel = sent(PickledTask.of(content))
    assert parcel.open() == content
    assert type(next(iter(parcel.open()))) is InputClass
    assert "secret" not in repr(parcel)
    assert "Arben" not in repr(parcel)
