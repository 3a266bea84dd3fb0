"""SFTP: only servers that are who they say, and none that keeps us waiting for ever."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fsspec
import paramiko

__all__ = ["open_sftp"]

_FILES = (Path("~/.ssh/known_hosts"), Path("/etc/ssh/ssh_known_hosts"))
_SECONDS = 60.0


# Without paramiko, an extra, mypy does not know what this derives from; with it the note is unused.
class KnownHosts(paramiko.MissingHostKeyPolicy):  # type: ignore[misc, unused-ignore]
    """Refuses a server whose key is in none of the files of OpenSSH, before any password is sent
    to it."""

    def missing_host_key(
        self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey
    ) -> None:
        """``hostname`` is ``[host]:port`` where the port is not 22."""
        known = paramiko.HostKeys()
        for file in map(Path.expanduser, _FILES):
            if file.is_file():
                known.load(str(file))
        if not known.check(hostname, key):
            raise paramiko.SSHException(
                f"the {key.get_name()} key of {hostname} ({key.fingerprint}) is not in "
                "~/.ssh/known_hosts; where it is the right one, ssh-keyscan writes it there"
            )


def open_sftp(**options: Any) -> Any:
    """The fsspec file system of a server, which has a minute to connect, and for each answer."""
    waits = dict.fromkeys(("timeout", "banner_timeout", "auth_timeout"), _SECONDS)
    given = {"host_key_policy": KnownHosts(), **waits, **options}
    fs = fsspec.filesystem("sftp", skip_instance_cache=True, **given)
    fs.ftp.get_channel().settimeout(_SECONDS)
    return fs
