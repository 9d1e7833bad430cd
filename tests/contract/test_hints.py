"""Every fault that the doctor or the report on health can find has a hint: what a person does about it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from aquila.sentences import SENTENCES

_ROOT = Path(__file__).parents[2]
_FOLDERS = ("services", "clients")
_GRADES = {"Grade.WARNING", "Grade.CRITICAL", "grade"}
_MAKERS = {"warning", "critical"}
_REPORTED = (
    "aquila/audit/checkpoint.py",
    "aquila/crypto/keys.py",
    "aquila/executors.py",
    "aquila/protocol/registry.py",
    "services/kit/http/peer.py",
    "services/kit/http/tls.py",
    "services/kit/log/publication.py",
    "services/kit/log/witness.py",
    "services/kit/people/keys.py",
    "services/kit/people/keys.py",
    "services/kit/settings.py",
    "services/kit/storage/files.py",
    "services/kit/storage/migrate.py",
    "services/kit/storage/own_identity.py",
    "services/kit/storage/pkcs11.py",
    "services/kit/storage/pkcs11.py",
    "services/kit/storage/store.py",
    "services/kit/work/cluster.py",
    "services/kit/work/executors.py",
)
"""Modules whose errors become findings as they are: of keys, settings, files, databases, logs, workers and calls."""
_OF_A_STATE = {
    "ExecutorError",
    "InputError",
    "KeyMaterialError",
    "LogRewrittenError",
    "PeerUnavailableError",
    "Pkcs11Error",
    "StoreError",
    "StoreFullError",
}
"""The classes of those errors that a service or the doctor can meet by itself, without a wrong call."""
_OF_CALLERS = {
    "call_path_malformed",
    "file_name_malformed",
    "key_already_closed",
    "key_not_copyable",
    "secret_key_not_32_bytes",
}
"""Mistakes of a program that calls, which no look at a service meets."""


def _graded() -> Iterator[tuple[str, str]]:
    """Yield each place where the source grades a sentence, with the sentence's id."""
    for folder in _FOLDERS:
        for path in sorted((_ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                for code in _codes(node):
                    yield f"{path.relative_to(_ROOT)}:{node.lineno}", code  # type: ignore[attr-defined]  # has codes


def _codes(node: ast.AST) -> Iterator[str]:
    """Yield the ids that a node grades as a fault: `grade, Sentence.of(...)`, or a finding of the doctor."""
    match node:
        case ast.Tuple(elts=[grade, ast.Call(func=function, args=[first, *_])]):
            if ast.unparse(grade) in _GRADES and ast.unparse(function) == "Sentence.of":
                yield from _literals(first)
        case ast.Call(func=ast.Name(id=name), args=[_, second, *_]) if name in _MAKERS:
            yield from _literals(second)


def _literals(node: ast.expr) -> Iterator[str]:
    return (str(one.value) for one in ast.walk(node) if isinstance(one, ast.Constant) and one.value in SENTENCES)


def _raised() -> Iterator[tuple[str, str]]:
    """Yield each place that raises an error which becomes a finding, with the id of its sentence."""
    for name in _REPORTED:
        for node in ast.walk(ast.parse((_ROOT / name).read_text("utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id=error), args=[first, *_]) if error in _OF_A_STATE:
                    for code in set(_literals(first)) - _OF_CALLERS:
                        yield f"{name}:{node.lineno}", code


_GRADED, _RAISED = list(_graded()), list(_raised())


def test_faults_are_found() -> None:
    """The test looks at something: every sentence of the report is among those that are graded."""
    codes = {code for _, code in _GRADED}
    assert codes >= {code for code in SENTENCES if code.startswith("health_")} - {"health_fault_unexplained"}
    assert len({code for code in codes if code.startswith("doctor_")}) > 20
    assert len(_RAISED) > 40


@pytest.mark.parametrize("found", [_GRADED, _RAISED], ids=["graded", "raised"])
def test_every_fault_has_a_hint(found: list[tuple[str, str]]) -> None:
    """Nobody reads that something is wrong without what to do about it."""
    assert [(where, code) for where, code in found if not SENTENCES[code].hint] == []


def test_certificates_that_are_refused_have_a_hint() -> None:
    """Their sentences are in tables, by the reason that TLS names."""
    table = (_ROOT / "services/kit/http/tls.py").read_text("utf-8")
    codes = set(re.findall(r'"(certificate_\w+)"', table)) & set(SENTENCES)
    assert len(codes) > 5
    assert [code for code in codes if not SENTENCES[code].hint] == []
