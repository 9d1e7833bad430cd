"""Audits of exported logs."""

from typing import Any

from aquila.crypto.keys import VerifyKey
from aquila.protocol.registry import RegisteredParty, Registry
from tests.vectors.answers.given import Given, Operation, raw
from tests.vectors.making.log_bundle import found, together


def audit(given: Given) -> list[dict[str, str]]:
    return found(changed(given["files"], given["changes"]), registry(given))


def audit_node(given: Given) -> list[dict[str, str]]:
    return found(changed(given["node"], given["changes"]), registry(given))


def compare(given: Given) -> list[dict[str, str]]:
    logs = changed(given["files"], given["changes"]), changed(given["node"], given["node_changes"])
    return together(*logs, registry(given))


def registry(given: Given) -> Registry:
    """Return the registry: of each holder its key, or all that it had."""
    keys = {
        holder: [VerifyKey.from_hex(key) for key in ([one] if isinstance(one, str) else one)]
        for holder, one in given["registry"].items()
    }
    (matcher,) = keys.pop("matcher")
    parties = {code: RegisteredParty(code, code, each[-1]) for code, each in keys.items()}
    return Registry(matcher, parties, {code: tuple(each[:-1]) for code, each in keys.items() if each[1:]})


def changed(content: dict[str, Any], changes: dict[str, Any]) -> dict[str, bytes]:
    """Return the files of a log with its changes."""
    files = {name: raw(one) for name, one in content.items()}
    found = dict(files)
    for name, change in changes.items():
        if change is None:
            del found[name]
            continue
        old = files.get(change.get("of", name), b"")
        found[name] = old[: change["front"]] + raw(change["put"]) + old[len(old) - change["behind"] :]
    return found


OPERATIONS: dict[str, Operation] = {"audit": audit, "audit_node": audit_node, "compare": compare}
