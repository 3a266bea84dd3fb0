"""What deployment files ask for, against the programs that are asked."""

from __future__ import annotations

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
import sys
from airflow.cli import cli_parser
for line in sys.stdin.read().splitlines():
    cli_parser.get_parser().parse_args(line.split("\\0"))
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


def refused(command: list[str], home: Path) -> str:
    """Why ``airflow`` or ``ris`` would not take this command; nothing if it would."""
    program, *arguments = command
    if program == "ris":
        return _refused_by_ris(arguments)
    done = _python(_PARSED, "\0".join(arguments), home, check=False)
    return done.stderr if done.returncode else ""


def _refused_by_ris(arguments: list[str]) -> str:
    command: click.Command = main
    with click.Context(main) as context:
        while arguments and isinstance(command, click.Group):
            found = command.get_command(context, arguments[0])
            if found is None:
                return f"ris has no command {arguments[0]}"
            command, arguments = found, arguments[1:]
        try:
            command.make_context("ris", list(arguments))
        except click.ClickException as e:
            return e.format_message()
        except click.exceptions.Exit:
            pass  # --help
    return ""


def _python(
    code: str, given: str, home: Path, *, check: bool = True
) -> subprocess.CompletedProcess[str]:
    inherited: Mapping[str, str] = {
        k: v for k, v in os.environ.items() if not re.match("AIRFLOW|RIS_", k)
    }
    return subprocess.run(
        [sys.executable, "-c", code],
        input=given,
        env={**inherited, "AIRFLOW_HOME": str(home)},
        capture_output=True,
        text=True,
        check=check,
    )
