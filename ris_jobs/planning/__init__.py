"""How many machines, how much memory and disk and how many hours a collection takes.

Pure arithmetic: every figure of a :class:`Plan` carries the formula it comes from, and the
constants in it, each measured, cited, by design or assumed, and from where.
"""

from ris_jobs.planning.constants import Constant, constants
from ris_jobs.planning.plan import Ask, Figure, Lever, Plan, plan

__all__ = ["Ask", "Constant", "Figure", "Lever", "Plan", "constants", "plan"]
