"""What the commands share: settings, stores, output, errors."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import click
from rich.console import Console, RenderableType

from ris_jobs.errors import RisError
from ris_jobs.progress import LogProgress, Progress
from ris_jobs.settings import Settings

INPUT = click.Path(path_type=Path)


class Commands(click.Group):
    """Turns every error made for people into one line on stderr and its exit status."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except RisError as e:
            click.echo(f"ris: {e}", err=True)
            ctx.exit(e.exit_code)
        except BrokenPipeError:
            # The reader (head, less) has seen enough.
            sys.stderr.close()
            ctx.exit(0)
        except OSError as e:
            place = f"{e.filename}: " if e.filename else ""
            click.echo(f"ris: {place}{e.strerror or e}", err=True)
            ctx.exit(2)


def load_settings(**overrides: Any) -> Settings:
    """Of the environment, but for what was given."""
    given = {k: v for k, v in overrides.items() if v is not None}
    return replace(Settings.from_env(), **given)


@contextmanager
def opened(settings: Settings, model: str | None) -> Iterator[tuple[Settings, Any]]:
    """The stores, and the settings with their model named: the one that serves, unless another
    one is given."""
    from ris_jobs.jobs.models import model_of, serving_stores
    from ris_jobs.store.stores import open_stores

    if model is None:
        with serving_stores(settings) as found:
            yield found
        return
    settings = replace(settings, model=model)
    with open_stores(settings, model_of(settings)) as stores:
        yield settings, stores


@contextmanager
def writing(output: Path | None) -> Iterator[BinaryIO]:
    """Standard output, or a file that appears only when it is whole; a device or a pipe is
    written to as it is."""
    if output is None:
        yield sys.stdout.buffer
        return
    if output.exists() and not output.is_file():
        with output.open("wb") as file:
            yield file
        return
    whole = output.resolve()
    part = whole.with_name(f"{whole.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(whole)
    except OSError as e:
        if e.filename == str(part):
            e.filename = str(output)
        raise
    finally:
        with suppress(FileNotFoundError):
            part.unlink()


def show(said: RenderableType, values: Any = None) -> None:
    """Print what is ``said``, or JSON where there are ``values``."""
    if values is None:
        Console(highlight=False).print(said, soft_wrap=True)
    else:
        click.echo(json.dumps(values, indent=2))


def showing(settings: Settings, *, quiet: bool) -> Progress:
    """Bars for people; log lines where these are for machines."""
    return LogProgress() if settings.log == "json" else Bars(quiet=quiet)


class Bars:
    """Progress bars on stderr; nothing where stderr is no terminal."""

    def __init__(self, *, quiet: bool) -> None:
        self._console = Console(stderr=True, quiet=quiet or not sys.stderr.isatty())

    @contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Callable[[int], None]]:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        with ExitStack() as stack:
            bars = stack.enter_context(
                Progress(
                    TextColumn("{task.description:<12}"),
                    BarColumn(),
                    MofNCompleteColumn(),
                    TimeElapsedColumn(),
                    TimeRemainingColumn(),
                    console=self._console,
                    transient=True,
                )
            )
            task = bars.add_task(name, total=total)
            yield lambda n: bars.advance(task, n)
