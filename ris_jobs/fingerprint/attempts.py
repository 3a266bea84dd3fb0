"""What a picture can do without: where taking it fails, the rest goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

__all__ = ["Attempts"]

_MOST = 200

T = TypeVar("T")


class Attempts:
    """Takes traces of one image. ``failed`` has a line for each that raised: its name, and why."""

    def __init__(self) -> None:
        self.failed: list[str] = []

    def __call__(self, name: str, take: Callable[[], T], otherwise: T) -> T:
        """What ``take`` gives, or ``otherwise`` where it raises. Too little memory says nothing of
        the picture, and is raised on."""
        try:
            return take()
        except MemoryError:
            raise
        except Exception as error:  # hostile bytes make libraries raise almost anything
            said = " ".join(f"{type(error).__name__} {error}".split())
            self.failed.append(f"{name}: {''.join(filter(str.isprintable, said))[:_MOST]}")
            return otherwise
