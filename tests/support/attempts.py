"""What the systemd units forbid and permit, as attempts that a process makes."""

import errno
import signal

_FORBIDDEN = {
    "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)": errno.EAFNOSUPPORT,
    "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)": errno.EAFNOSUPPORT,
    "mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)": errno.EPERM,
    "os.chmod(folder, 0o4700)": errno.EPERM,
    "os.chmod(folder, 0o2700)": errno.EPERM,
    "os.open(f'{folder}/new', os.O_CREAT | os.O_WRONLY, 0o4700)": errno.EPERM,
    "call('unshare', 0x10000000)": errno.EPERM,
    "call('setns', 0, 0)": errno.EPERM,
    "call('personality', 8)": errno.EPERM,
    "os.nice(1)": -signal.SIGSYS,
    "os.chown(folder, -1, -1)": -signal.SIGSYS,
    "os.chroot('/')": -signal.SIGSYS,
    "call('ptrace', 0, 0, 0, 0)": -signal.SIGSYS,
}
_PERMITTED = (
    "socket.socket(socket.AF_INET)",
    "socket.socket(socket.AF_INET6)",
    "socket.socket(socket.AF_UNIX)",
    "mmap.mmap(-1, 4096)",
    "os.chmod(folder, 0o700)",
    "os.close(os.open(f'{folder}/other', os.O_CREAT, 0o600))",
    "os.waitpid(os.posix_spawn('/bin/true', ['true'], {}), 0)",
)

ENDS = _FORBIDDEN | dict.fromkeys(_PERMITTED, 0)
"""How each attempt must end under every unit: 0, an error's number, or a signal's below 0."""

TRIES = """
import ctypes, errno, json, mmap, os, socket, sys
folder, *attempts = sys.argv[1:]
def call(name, *arguments):
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) == -1:
        raise OSError(ctypes.get_errno(), name)
def ended(attempt):
    process = os.fork()
    if process:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    try:
        eval(attempt)
    except PermissionError:
        os._exit(errno.EPERM)  # executable memory is refused with EACCES where the kernel does it without a filter
    except OSError as error:
        os._exit(error.errno)
    os._exit(0)
print(json.dumps({attempt: ended(attempt) for attempt in attempts}))
"""
"""A program that makes attempts in a folder, both its arguments, and prints as JSON how each ended."""
