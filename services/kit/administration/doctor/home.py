"""The doctor's look at a home: rights and owners of files, keys, registry, and room on the disk."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from aquila.protocol.registry import read_registry
from services.kit.administration.backup.home_files import file_settings, is_secret
from services.kit.administration.doctor.findings import Finding, Findings, critical, fine, warning
from services.kit.people.operator_token import TOKEN_FILE, OperatorToken
from services.kit.people.people_key import KEY_FILE, NEXT_KEY_FILE
from services.kit.serving.health.checks import disk_faults
from services.kit.settings import MEBIBYTE, KeyedSettings
from services.kit.storage.files import check_private
from services.kit.storage.own_identity import read_key, read_next
from services.kit.storage.pkcs11.key import Pkcs11Key

_SHOWN = 3
_KEYS = "keys"
_DATABASE = ("node.db", "matcher.db")


def examine_rights(settings: KeyedSettings) -> Findings:
    """Yield findings about who can read the home and who owns its files."""
    home, secret = settings.home, _secrets(settings)
    open_paths, foreign, count = [], [], 0
    owner = home.stat().st_uid
    for path in (home, *home.rglob("*")):
        try:
            state = path.lstat()
        except OSError:
            continue  # a running service writes and deletes files
        count += 1
        if (
            not stat.S_ISLNK(state.st_mode)
            and stat.S_IMODE(state.st_mode) & 0o077
            and (path in secret or path.name.startswith(_DATABASE) or _KEYS in {path.name, path.parent.name})
        ):
            open_paths.append(path)
        if state.st_uid != owner:
            foreign.append(path)
    if open_paths:
        modes = "; ".join(f"chmod {'700' if path.is_dir() else '600'} {path}" for path in open_paths[:_SHOWN])
        yield critical("home", "doctor_files_open", count=len(open_paths), remedy=modes)
    if foreign:
        yield critical("home", "doctor_files_of_others", count=len(foreign), file=str(foreign[0]), home=str(home))
    if owner != os.geteuid():
        yield warning("home", "doctor_other_user", home=str(home))
    if not open_paths and not foreign:
        yield fine("home", "doctor_rights_fine", count=count)


def _secrets(settings: KeyedSettings) -> set[Path]:
    """Return the home and those of its files, by name, that nobody else may read."""
    named = {path for setting, path in file_settings(settings) if is_secret(setting)}
    own = (TOKEN_FILE, KEY_FILE, NEXT_KEY_FILE)
    return {settings.home, *(settings.home / name for name in own), *named}


def examine_files(settings: KeyedSettings) -> Findings:
    """Yield findings about files that the settings name, and about the home's other keys."""
    for setting, path in file_settings(settings):
        if setting in {"identity", "registry"}:
            continue
        if not path.exists():
            yield critical("files", "doctor_file_missing", setting=setting, file=str(path))
        elif is_secret(setting):
            check_private(path)
    OperatorToken.load(settings.home / TOKEN_FILE)
    if not (settings.home / KEY_FILE).exists():
        yield warning("files", "doctor_people_key_missing", file=KEY_FILE)
    else:
        check_private(settings.home / KEY_FILE)


def examine_identity(settings: KeyedSettings) -> Findings:
    """Yield findings about the identity key, in its file or in its token; raises as `read_key` does."""
    with read_key(settings.identity) as key:
        fingerprint = key.public.short_fingerprint
        if not isinstance(key, Pkcs11Key):
            yield fine("identity", "doctor_identity", fingerprint=fingerprint)
            return
        names = {"token": key.uri.token_name, "key": key.uri.key_name}
        yield fine("identity", "doctor_identity_in_token", fingerprint=fingerprint, **names)
        if key.can_be_read():
            yield warning("identity", "doctor_identity_readable", **names)


def examine_registry(settings: KeyedSettings, code: str) -> Findings:
    """Yield findings about the registry and the own key in it.

    Args:
        settings: The settings.
        code: The party's code, or `matcher`.
    """
    if not settings.registry.exists():
        yield critical("registry", "doctor_registry_missing", file=str(settings.registry))
        return
    registry = read_registry(settings.registry.read_bytes())
    waiting = read_next(settings.identity)
    if waiting is not None and registry.key_of(code) == waiting.public:
        yield warning("registry", "doctor_identity_waits")
        return
    with read_key(settings.identity) as identity:
        if registry.key_of(code) != identity.public:
            yield critical("registry", "registry_identity_key_differs", party=code)
            return
    yield fine("registry", "doctor_registry_fine", parties=", ".join(sorted(registry.parties)) or "no party yet")


def examine_disk(settings: KeyedSettings) -> Findings:
    """Yield findings about the room on the home's disk; raises OSError where the home is gone."""
    kept = settings.limits.free_mebibytes * MEBIBYTE
    free = max(0, shutil.disk_usage(settings.home).free - kept)
    faults = [Finding("disk", grade, sentence) for grade, sentence in disk_faults(free, kept)]
    yield from faults or [fine("disk", "doctor_disk_fine", free=free // MEBIBYTE)]
