"""What deployment files ask for, against the programs that are asked."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path

import click

from ris_jobs.cli import main
from ris_jobs.settings import Settings

_OPTIONS = """
from airflow.configuration import conf
for section, options in conf.configuration_description.items():
    for option in options["options"]:
        print("AIRFLOW__" + section.upper().replace(".", "_") + "__" + option.upper())
"""
_PARSED = """
import contextlib, io, json, sys
from airflow.cli import cli_parser
for line in sys.stdin.read().splitlines():
    said = io.StringIO()
    with contextlib.suppress(SystemExit), contextlib.redirect_stderr(said):
        cli_parser.get_parser().parse_args(json.loads(line))
    print(json.dumps(said.getvalue()))
"""


def unknown_settings(names: Iterable[str]) -> set[str]:
    known = {f"RIS_{field.name.upper()}" for field in fields(Settings)}
    return {name for name in names if name.startswith("RIS_")} - known


def unknown_options(names: Iterable[str], home: Path) -> set[str]:
    """Variables that are no option of the installed Airflow and its providers."""
    return {name for name in names if name.startswith("AIRFLOW__")} - set(_options(home))


@cache
def _options(home: Path) -> tuple[str, ...]:
    return tuple(_python(_OPTIONS, "", home).stdout.split())


def executor_that_loads(name: str, home: Path) -> str:
    """The class that Airflow finds by the name of an executor."""
    code = """
from airflow.executors.executor_loader import ExecutorLoader
found, _ = ExecutorLoader.import_default_executor_cls()
print(found.__name__)
"""
    return _python(code, "", home, AIRFLOW__CORE__EXECUTOR=name).stdout.split()[-1]


def is_there(path: str, home: Path) -> bool:
    """Whether a class of the installed Airflow can be imported by this path."""
    code = "import pydoc, sys; print(pydoc.locate(sys.stdin.read()) is not None)"
    return _python(code, path, home).stdout.split()[-1] == "True"


def refused_by_airflow(commands: list[list[str]], home: Path) -> list[str]:
    """Why ``airflow`` would not take each of these commands; nothing if it would."""
    given = "\n".join(json.dumps(command[1:]) for command in commands)
    said = _python(_PARSED, given, home).stdout.splitlines()
    return [json.loads(line) for line in said if line.startswith('"')]  # others are of its log


def refused_by_ris(command: list[str]) -> str:
    """Why ``ris`` would not take this command; nothing if it would."""
    found: click.Command | None = main
    arguments = command[1:]
    with click.Context(main) as context:
        while arguments and isinstance(found, click.Group):
            name, *arguments = arguments
            found = found.get_command(context, name)
            if found is None:
                return f"ris has no command {name}"
        try:
            found.make_context("ris", arguments)
        except click.ClickException as e:
            return e.format_message()
    return ""


def _python(code: str, given: str, home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    inherited: Mapping[str, str] = {
        k: v for k, v in os.environ.items() if not re.match("AIRFLOW|RIS_", k)
    }
    return subprocess.run(
        [sys.executable, "-c", code],
        input=given,
        env={**inherited, **more, "AIRFLOW_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
