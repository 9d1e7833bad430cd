"""Staged rounds whose first step was played once: what follows goes on from a copy, which costs a hundredth of it."""

import io
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from types import BuiltinFunctionType, FunctionType
from typing import Any, ClassVar

from aquila.crypto.group import Group
from aquila.crypto.keys import SecretBytes
from aquila.simulation.scratch_files import Spool
from tests.support.staged_round import StagedRound

_STEPS = frozenset({"submitted", "evaluated", "finalized", "reported"})


class PlayedStage(StagedRound):
    """A staged round; the first step of one with the usual lists is played once, and copied after that."""

    def __init__(self, group: Group, directory: Path, *lists: Any, **options: Any) -> None:
        super().__init__(group, directory, *lists, **options)
        self._options = None if lists or "lists" in options else options

    def __getattribute__(self, name: str) -> Any:
        fields = object.__getattribute__(self, "__dict__")
        options = fields.pop("_options", None)
        if options is not None and name in _STEPS:
            _Snapshot.of(name, fields["group"], options).restore(self, fields)
            return lambda: self
        return object.__getattribute__(self, name)


class _Snapshot:
    """What a stage was after a step: its fields, and the files of its directory."""

    _made: ClassVar[dict[tuple[str, str], "_Snapshot"]] = {}

    def __init__(self, step: str, group: Group, options: dict[str, Any]) -> None:
        with TemporaryDirectory() as folder:
            stage = StagedRound(group, Path(folder), **options)
            getattr(stage, step)()
            self.kept: list[object] = []
            file = io.BytesIO()
            _Pickler(file, stage, self.kept).dump(vars(stage))
            self.fields = file.getvalue()
            places = {path: str(path.relative_to(stage.directory)) for path in stage.directory.rglob("*")}
            self.folders = sorted(place for path, place in places.items() if path.is_dir())
            self.files = {place: path.read_bytes() for path, place in places.items() if path.is_file()}

    @classmethod
    def of(cls, step: str, group: Group, options: dict[str, Any]) -> "_Snapshot":
        key = step, repr(sorted(options.items()))
        if key not in cls._made:
            cls._made[key] = cls(step, group, options)
        return cls._made[key]

    def restore(self, stage: StagedRound, fields: dict[str, Any]) -> None:
        directory = fields["directory"]
        for folder in self.folders:
            (directory / folder).mkdir(exist_ok=True)
        for place, content in self.files.items():
            (directory / place).write_bytes(content)
        fields.update(_Unpickler(io.BytesIO(self.fields), stage, directory, self.kept).load())


def _secret(kind: type[SecretBytes], octets: bytes | None, fields: dict[str, Any]) -> SecretBytes:
    made = kind.__new__(kind)
    SecretBytes.__init__(made, octets or b"")
    for name, value in fields.items():
        setattr(made, name, value)
    if octets is None:
        made.close()
    return made


def _spool(path: Path, ends: list[int]) -> Spool:
    made = Spool.__new__(Spool)
    made.path, made._ends = path, ends
    if path.exists():  # others were deleted
        made._file = os.open(path, os.O_RDWR)
    return made


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, stage: StagedRound, kept: list[object]) -> None:
        super().__init__(file)
        self.stage, self.kept = stage, kept

    def persistent_id(self, obj: object) -> tuple[str, Any] | None:
        """Name what is not copied: the stage, places in its directory, the group, and functions."""
        if obj is self.stage:
            return "stage", None
        if isinstance(obj, Path):
            return "path", str(obj.relative_to(self.stage.directory))
        if obj is self.stage.group or isinstance(obj, FunctionType | BuiltinFunctionType):
            self.kept.append(obj)
            return "kept", len(self.kept) - 1
        return None

    def reducer_override(self, obj: Any) -> Any:
        """Copy keys, which refuse it, and open files again."""
        if isinstance(obj, Spool):
            return _spool, (obj.path, obj._ends)
        if not isinstance(obj, SecretBytes):
            return NotImplemented
        names = [name for kind in type(obj).__mro__ for name in getattr(kind, "__slots__", ())]
        fields = {name: getattr(obj, name) for name in names if name not in {"_lock", "_octets"}}
        return _secret, (type(obj), None if obj.closed else obj.to_bytes(), fields)


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, stage: StagedRound, directory: Path, kept: list[object]) -> None:
        super().__init__(file)
        self.stage, self.directory, self.kept = stage, directory, kept

    def persistent_load(self, pid: tuple[str, Any]) -> object:
        kind, value = pid
        places: dict[str, Callable[[], object]] = {
            "stage": lambda: self.stage,
            "path": lambda: self.directory / value,
            "kept": lambda: self.kept[value],
        }
        return places[kind]()
