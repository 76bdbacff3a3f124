"""Becomes another program that ends with its parent, and under another user if asked.

Run as a script, by path, before our packages can be imported: the standard library only.
``python -I -S launch.py --parent PID --signal N [--user N] [--reach] -- PROGRAM ARGUMENT…``
"""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_SET_SECUREBITS = 28
_NO_SETUID_FIXUP = 1 << 2  # else access(2) would deny what open(2) allows
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Data(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def end_with_parent(parent: int, number: int = signal.SIGTERM) -> None:
    """Ask Linux to send this process a signal when its parent dies; elsewhere, do nothing.

    ``parent`` is the pid that the caller knew: when that is gone already, the signal is sent at once.
    """
    if not sys.platform.startswith("linux"):
        return
    _libc().prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), number)


def become(user: int, *, reach: bool) -> None:
    """Give up root for good. With ``reach``, keep the right to pass through directories that are closed to others.

    That right lets a database whose folder lies under root's own 0700 home find its files; it is used only there.
    """
    libc = _libc()
    if reach:
        libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
        libc.prctl(_PR_SET_SECUREBITS, _NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    if reach:
        _keep_one_capability(libc)


def _keep_one_capability(libc: ctypes.CDLL) -> None:
    header = _Header(_CAPABILITY_VERSION_3, 0)
    data = (_Data * 2)()
    libc.capget(ctypes.byref(header), data)
    for capability in (_CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE):
        bit = 1 << capability
        if data[0].permitted & bit:
            data[0] = _Data(bit, bit, bit)
            data[1] = _Data(0, 0, 0)
            libc.capset(ctypes.byref(header), data)
            libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0)
            return


def main(argv: list[str]) -> None:
    """Do what the options say and turn into the program; does not return."""
    parser = argparse.ArgumentParser(prog="launch.py", description="Run a program that ends with its parent.")
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--signal", type=int, default=int(signal.SIGTERM))
    parser.add_argument("--user", type=int)
    parser.add_argument("--reach", action="store_true")
    parser.add_argument("program", nargs="+")
    options = parser.parse_args(argv)
    if options.user is not None:
        become(options.user, reach=options.reach)
    end_with_parent(options.parent, options.signal)
    try:
        os.execvp(options.program[0], options.program)  # noqa: S606 - the caller chose the program
    except OSError as error:
        sys.exit(f"{options.program[0]}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
