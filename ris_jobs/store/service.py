"""The account that the embedded PostgreSQL runs under, for it refuses to run as root.

An ordinary user runs it as themselves. Root runs it in a user namespace of its own, in which
root's files are the server's and nothing else is: no account is added, no permission opened.
Where that is not allowed (in most containers) it runs as ``nobody``, who gets its data folder and
the right to pass through, not to list, the folders above it and above the programs.
"""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
import sys
from functools import cache
from pathlib import Path

_ACCOUNT = "nobody"

# Python 3.11 has no os.unshare; 0x10000000 is CLONE_NEWUSER (linux/sched.h).
_IN_NAMESPACE = """
import ctypes, os, sys
uid, gid, *command = sys.argv[1:]
libc = ctypes.CDLL(None, use_errno=True)
if libc.unshare(0x10000000):
    raise OSError(ctypes.get_errno(), "a user namespace is not allowed")
for name, text in ("setgroups", "deny"), ("uid_map", uid + " 0 1"), ("gid_map", gid + " 0 1"):
    with open("/proc/self/" + name, "w") as file:
        file.write(text)
os.execv(command[0], command)
"""
_AS_ACCOUNT = """
import os, sys
uid, gid, *command = sys.argv[1:]
os.setgroups([])
os.setgid(int(gid))
os.setuid(int(uid))
os.execv(command[0], command)
"""


def command(program: str, *arguments: str) -> list[str]:
    """What to run so that ``program`` does not see itself as root."""
    if os.geteuid() != 0:
        return [program, *arguments]
    if _namespace_allowed():
        return _wrapped(_IN_NAMESPACE, program, *arguments)
    _let_through(Path(program))
    return _wrapped(_AS_ACCOUNT, program, *arguments)


def prepare(folder: Path) -> None:
    """Make ``folder`` and all in it the server's own."""
    if os.geteuid() != 0:
        return
    if _namespace_allowed():
        _give(folder, 0, 0)
    else:
        account = pwd.getpwnam(_ACCOUNT)
        _give(folder, account.pw_uid, account.pw_gid)
        _let_through(folder)


def _wrapped(script: str, program: str, *arguments: str) -> list[str]:
    account = pwd.getpwnam(_ACCOUNT)
    ids = str(account.pw_uid), str(account.pw_gid)
    return [sys.executable, "-ISc", script, *ids, program, *arguments]


@cache
def _namespace_allowed() -> bool:
    tried = _wrapped(_IN_NAMESPACE, sys.executable, "-ISc", "")
    return subprocess.run(tried, capture_output=True, check=False).returncode == 0


def _give(folder: Path, uid: int, gid: int) -> None:
    if folder.stat().st_uid == uid:
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, uid, gid, follow_symlinks=False)


def _let_through(path: Path) -> None:
    for folder in path.parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)
