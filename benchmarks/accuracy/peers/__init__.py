"""Systems of other projects, beside which the built-in one is measured.

Those that would not install beside ris-jobs run by `worker.py` in environments of their own.
"""

from __future__ import annotations


class NotRun(Exception):
    """A system cannot be run here; ``str(error)`` says why, for the table that lists it."""
