"""`ris` in processes of their own, which may be killed at any moment."""

from __future__ import annotations

import os
from pathlib import Path

from ris_jobs.cli import main
from tests.jobs.kills import SERVER


class Program:
    """A command that runs in this home and on this database, in small batches, so that there is
    something between any two moments. It starts from a process that has everything imported: what
    is killed is its work."""

    def __init__(self, home: Path, database_url: str, *command: Path | str) -> None:
        self._said = Path(f"{home}.said")
        values = {"RIS_HOME": str(home), "RIS_DATABASE_URL": database_url, "RIS_BATCH_SIZE": "4"}
        arguments = (values, [*map(str, command)], self._said)
        self._process = SERVER.Process(target=_run, args=arguments)
        self._process.start()

    def is_running(self) -> bool:
        return self._process.is_alive()

    def kill(self) -> None:
        self._process.kill()
        self._process.join()

    def finish(self) -> None:
        self._process.join(120)
        assert self._process.exitcode == 0, self._said.read_text("utf-8")


def _run(values: dict[str, str], command: list[str], said: Path) -> None:
    """In the child."""
    os.environ |= values
    with said.open("w") as file:
        os.dup2(file.fileno(), 2)
    main(command, prog_name="ris")
