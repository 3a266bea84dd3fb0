"""Which SSH servers are who they say: those in known_hosts, as OpenSSH has it."""

from __future__ import annotations

from pathlib import Path

import paramiko

__all__ = ["KnownHosts"]

_FILES = (Path("~/.ssh/known_hosts"), Path("/etc/ssh/ssh_known_hosts"))


class KnownHosts(paramiko.MissingHostKeyPolicy):  # type: ignore[misc, unused-ignore]
    """Refuses a server whose key is not there, before any password is sent to it."""

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
