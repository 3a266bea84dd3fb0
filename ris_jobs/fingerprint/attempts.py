"""What a picture can do without: where taking it fails, the rest goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ris_jobs.fingerprint import Lacking, Trace

__all__ = ["Attempts"]

_MOST = 200

T = TypeVar("T")


class Attempts:
    """Takes traces of one image; those that raised are ``lacking``."""

    def __init__(self) -> None:
        self.lacking: list[Lacking] = []

    def __call__(self, trace: Trace, take: Callable[[], T], otherwise: T) -> T:
        """What ``take`` gives, or ``otherwise`` where it raises. Too little memory says nothing of
        the picture, and is raised on."""
        try:
            return take()
        except MemoryError:
            raise
        except Exception as error:  # hostile bytes make libraries raise almost anything
            said = " ".join(f"{type(error).__name__} {error}".split())
            why = "".join(filter(str.isprintable, said))[:_MOST]
            self.lacking.append(Lacking(trace, why))
            return otherwise
