"""Audits of exported logs."""

from typing import Any

from aquila.crypto.keys import VerifyKey
from aquila.protocol.registry import RegisteredParty, Registry
from tests.vectors.answers.given import Given, Operation, raw
from tests.vectors.making.log_bundle import found


def audit(given: Given) -> list[dict[str, str]]:
    keys = {holder: VerifyKey.from_hex(key) for holder, key in given["registry"].items()}
    matcher = keys.pop("matcher")
    registry = Registry(matcher, {code: RegisteredParty(code, code, key) for code, key in keys.items()})
    files = {name: raw(content) for name, content in given["files"].items()}
    changes: dict[str, Any] = given["changes"]
    changed = dict(files)
    for name, change in changes.items():
        if change is None:
            del changed[name]
            continue
        old = files.get(change.get("of", name), b"")
        changed[name] = old[: change["front"]] + raw(change["put"]) + old[len(old) - change["behind"] :]
    return found(changed, registry)


OPERATIONS: dict[str, Operation] = {"audit": audit}
