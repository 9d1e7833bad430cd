"""Run a command under the restrictions of a systemd unit that a process can put on itself: no systemd, no root.

    python confine.py UNIT COMMAND...

Filters are made as systemd's `src/shared/seccomp-util.c` makes them, with its own sets of system calls and libseccomp;
the first argument that cannot be expressed exactly ends it. Mounts, users, addresses and memory (`LEFT_TO_SYSTEMD`)
need systemd itself: `test_units.py` has them.
"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from socket import AF_INET, AF_INET6, AF_UNIX
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

Setting = tuple[str, str]
Sets = Mapping[str, Sequence[str]]

LEFT_TO_SYSTEMD = frozenset({
    "Type", "ExecStart", "Restart", "RestartSec", "TimeoutStartSec", "TimeoutStopSec", "WatchdogSec",
    "KillMode", "Environment", "WorkingDirectory",
    "User", "Group", "StateDirectory", "StateDirectoryMode", "RuntimeDirectory", "RuntimeDirectoryMode",
    "ProtectSystem", "ProtectHome", "ProtectControlGroups", "ProtectProc", "ProcSubset", "PrivateTmp", "PrivateUsers",
    "RemoveIPC",
    "CapabilityBoundingSet", "AmbientCapabilities", "MemoryMax", "MemorySwapMax", "IPAddressAllow", "IPAddressDeny",
    "PrivateDevices", "ProtectClock", "ProtectHostname", "ProtectKernelLogs", "ProtectKernelModules",
    "ProtectKernelTunables", "RestrictRealtime", "ReadWritePaths",
})  # fmt: skip
"""Settings that no process can put on itself, that restrict nothing, or that forbid calls of `ELSEWHERE_FORBIDDEN`."""

ELSEWHERE_FORBIDDEN = "@clock @module @raw-io sethostname setdomainname syslog sched_setscheduler"
"""What the last eight of these settings forbid; `SystemCallFilter=` must forbid it, too."""

# <seccomp.h>
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000
_NE, _LT, _EQ, _GT, _MASKED_EQ = 1, 2, 4, 6, 7

# <linux/mman.h>, <linux/shm.h>, <linux/sched.h>
_PROT_WRITE, _PROT_EXEC, _SHM_EXEC = 2, 4, 0o100000
_NAMESPACES = (0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000)
_NEW_USER_NAMESPACE, _USER = 0x10000000, 10_001
_CREATES = os.O_CREAT
_MODE_ARGUMENTS = {
    "chmod": 1, "fchmod": 1, "fchmodat": 2, "fchmodat2": 2, "mkdir": 1, "mkdirat": 2, "mknod": 1, "mknodat": 2,
    "creat": 1,
}  # fmt: skip
_OPEN_ARGUMENTS = {"open": (1, 2), "openat": (2, 3)}

_FAMILIES = {"AF_UNIX": AF_UNIX, "AF_INET": AF_INET, "AF_INET6": AF_INET6}
_ERRORS = {name: number for number, name in errno.errorcode.items()}


@dataclass(frozen=True)
class Comparison:
    """A condition on one argument of a system call.

    Attributes:
        argument: Its position, from 0.
        operator: One of `<seccomp.h>`.
        value: What it is compared with; the mask, where the operator has one.
        masked: What remains under the mask.
    """

    argument: int
    operator: int
    value: int
    masked: int = 0


@dataclass(frozen=True)
class Rule:
    """What happens to a system call whose arguments meet all conditions."""

    call: str
    action: int
    conditions: tuple[Comparison, ...] = ()


@dataclass(frozen=True)
class Filter:
    """A filter of system calls; of several, the strictest decides."""

    default: int
    rules: tuple[Rule, ...]


def unmet(settings: Iterable[Setting]) -> set[str]:
    """Return the settings that would be neither applied here nor are known to be left to systemd."""
    return {name for name, _ in settings if name not in LEFT_TO_SYSTEMD and name not in APPLIED}


def service_settings(unit: str) -> list[Setting]:
    """Return the settings of a unit's `[Service]` section, in their order."""
    section, settings = "", []
    for line in unit.replace("\\\n", " ").splitlines():
        content = line.strip()
        if content.startswith("["):
            section = content
        elif section == "[Service]" and content and content[0] not in "#;":
            name, _, value = content.partition("=")
            settings.append((name.strip(), value.strip()))
    return settings


def call_sets() -> Sets:
    """Return systemd's sets of system calls by name; members may be sets."""
    program = shutil.which("systemd-analyze")
    assert program is not None, "the sets of system calls are those of Debian's systemd"
    listed = subprocess.run([program, "--no-pager", "syscall-filter"], capture_output=True, text=True, check=True)
    sets: dict[str, list[str]] = {}
    members: list[str] = []
    for line in listed.stdout.splitlines():
        if line.startswith("@"):
            members = sets[line.strip()] = []
        elif line.startswith(" ") and not line.strip().startswith("#"):
            members.append(line.strip())
    return sets


def calls_of(words: str, sets: Sets) -> set[str]:
    """Resolve names of system calls and of sets to those of system calls."""
    found: set[str] = set()
    for word in words.split():
        found |= calls_of(" ".join(sets[word]), sets) if word.startswith("@") else {word}
    return found


def permitted_calls(settings: Iterable[Setting], sets: Sets) -> set[str]:
    """Return the system calls that the lines of `SystemCallFilter=` permit together.

    The first line must permit; each later one adds its calls, or takes them away after a tilde.
    """
    permitted: set[str] = set()
    for line in (value for name, value in settings if name == "SystemCallFilter"):
        if line.startswith("~"):
            assert permitted, "a filter that begins by forbidding is of another kind"
            permitted -= calls_of(line[1:], sets)
        else:
            permitted |= calls_of(line if permitted else f"@default {line}", sets)
    return permitted


def filters(settings: Sequence[Setting], sets: Sets) -> Iterator[Filter]:
    """Yield the filters of a unit; that of its system calls is the last, since it may forbid to load another."""
    values = dict(settings)
    for name, make in _ARGUMENTS.items():
        if _is_on(values, name):
            yield make()
    if "RestrictAddressFamilies" in values:
        yield _families({_FAMILIES[word] for word in values["RestrictAddressFamilies"].split()})
    if "SystemCallFilter" in values:
        error = values.get("SystemCallErrorNumber")
        yield Filter(
            _KILL if error is None else _ERROR | _ERRORS[error],
            tuple(Rule(call, _ALLOW) for call in sorted(permitted_calls(settings, sets))),
        )


def _is_on(values: Mapping[str, str], name: str) -> bool:
    assert values.get(name, "no") in {"yes", "no"}, f"{name}={values[name]}"
    return values.get(name) == "yes"


def _refuses(error: int, *rules: Rule) -> Filter:
    """Return a filter that answers calls with an error; rules that name an action keep it."""
    return Filter(_ALLOW, tuple(Rule(one.call, one.action or _ERROR | error, one.conditions) for one in rules))


def _has_bits(argument: int, bits: int) -> Comparison:
    return Comparison(argument, _MASKED_EQ, bits, bits)


def _families(permitted: set[int]) -> Filter:
    least, greatest = min(permitted), max(permitted)
    conditions = [Comparison(0, _LT, least), Comparison(0, _GT, greatest)]
    conditions += [Comparison(0, _EQ, family) for family in range(least, greatest) if family not in permitted]
    return _refuses(errno.EAFNOSUPPORT, *(Rule("socket", 0, (one,)) for one in conditions))


def _locks_personality() -> Filter:
    return _refuses(errno.EPERM, Rule("personality", 0, (Comparison(0, _NE, 0),)))


def _denies_executable_memory() -> Filter:
    return _refuses(
        errno.EPERM,
        Rule("mmap", 0, (_has_bits(2, _PROT_WRITE | _PROT_EXEC),)),
        Rule("mprotect", 0, (_has_bits(2, _PROT_EXEC),)),
        Rule("pkey_mprotect", 0, (_has_bits(2, _PROT_EXEC),)),
        Rule("shmat", 0, (_has_bits(2, _SHM_EXEC),)),
    )


def _restricts_suid_and_sgid() -> Filter:
    rules = [Rule("openat2", _ERROR | errno.ENOSYS)]
    for bit in (stat.S_ISUID, stat.S_ISGID):
        rules += [Rule(call, 0, (_has_bits(argument, bit),)) for call, argument in _MODE_ARGUMENTS.items()]
        rules += [
            Rule(call, 0, (_has_bits(how, _CREATES), _has_bits(mode, bit)))
            for call, (how, mode) in _OPEN_ARGUMENTS.items()
        ]
    return _refuses(errno.EPERM, *rules)


def _restricts_namespaces() -> Filter:
    # A filter cannot see the flags of clone3: without it, programs use clone.
    rules = [Rule("clone3", _ERROR | errno.ENOSYS), Rule("setns", 0)]
    for flag in _NAMESPACES:
        rules += [Rule("unshare", 0, (_has_bits(0, flag),)), Rule("clone", 0, (_has_bits(0, flag),))]
    return _refuses(errno.EPERM, *rules)


_ARGUMENTS = {
    "LockPersonality": _locks_personality,
    "MemoryDenyWriteExecute": _denies_executable_memory,
    "RestrictSUIDSGID": _restricts_suid_and_sgid,
    "RestrictNamespaces": _restricts_namespaces,
}

APPLIED = frozenset({
    *_ARGUMENTS, "RestrictAddressFamilies", "SystemCallFilter", "SystemCallErrorNumber",
    "SystemCallArchitectures", "NoNewPrivileges", "UMask", "LimitCORE", "LimitNOFILE",
})  # fmt: skip
"""Settings that `confine` puts on its own process."""


class _Compared(ctypes.Structure):
    """`struct scmp_arg_cmp`."""

    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("value", ctypes.c_uint64),
        ("masked", ctypes.c_uint64),
    )


def _library() -> Any:
    library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    library.seccomp_init.argtypes, library.seccomp_init.restype = [ctypes.c_uint32], ctypes.c_void_p
    library.seccomp_rule_add_array.argtypes = [
        ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint, ctypes.POINTER(_Compared)
    ]  # fmt: skip
    library.seccomp_load.argtypes = [ctypes.c_void_p]
    library.seccomp_release.argtypes = [ctypes.c_void_p]
    return library


def _load(library: Any, made: Filter) -> None:
    """Put a filter on this process and all that it starts; libseccomp sets PR_SET_NO_NEW_PRIVS before."""
    context = library.seccomp_init(made.default)
    assert context, "libseccomp makes no filter"
    for rule in made.rules:
        number = library.seccomp_syscall_resolve_name(rule.call.encode())
        if number < 0:  # this processor has no such call
            continue
        conditions = [_Compared(one.argument, one.operator, one.value, one.masked) for one in rule.conditions]
        array = (_Compared * len(conditions))(*conditions)
        added = library.seccomp_rule_add_array(context, rule.action, number, len(conditions), array)
        assert added == 0, f"{rule}: {os.strerror(-added)}"
    loaded = library.seccomp_load(context)
    assert loaded == 0, f"the kernel takes no filter: {os.strerror(-loaded)}"
    library.seccomp_release(context)


def _limit(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


def become_another_user() -> None:
    """Be somebody else than root without capabilities, who owns the files of root: as under `User=`.

    Libraries call for root what they do not for others, and `@privileged` forbids: SQLite's is fchown.

    Raises:
        OSError: This root may not make a user namespace.
    """
    library = ctypes.CDLL(None, use_errno=True)
    if library.unshare(_NEW_USER_NAMESPACE):
        raise OSError(ctypes.get_errno(), "unshare")
    for name, content in (("setgroups", "deny"), ("uid_map", f"{_USER} 0 1"), ("gid_map", f"{_USER} 0 1")):
        Path("/proc/self", name).write_text(content, encoding="ascii")


def confine(unit: str) -> None:
    """Put the restrictions of a unit on this process, for good.

    Args:
        unit: The content of its file.
    """
    if os.geteuid() == 0:
        become_another_user()
    settings = service_settings(unit)
    assert not unmet(settings), f"settings that are not known here: {sorted(unmet(settings))}"
    values = dict(settings)
    # A filter of libseccomp is for this processor's own calls, and kills for those of another.
    assert values.get("SystemCallArchitectures", "native") == "native"
    if "UMask" in values:
        os.umask(int(values["UMask"], 8))
    for name, kind in (("LimitCORE", resource.RLIMIT_CORE), ("LimitNOFILE", resource.RLIMIT_NOFILE)):
        if name in values:
            _limit(kind, int(values[name]))
    library = _library()
    for made in filters(settings, call_sets()):
        _load(library, made)


if __name__ == "__main__":
    confine(Path(sys.argv[1]).read_text("utf-8"))
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 - it replaces itself by the command, as systemd does
