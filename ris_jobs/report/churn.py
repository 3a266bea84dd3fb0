"""What a change of the model changes: as values, as JSON, for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from ris_jobs.report.text import plural, visible

__all__ = [
    "QUANTILES",
    "Churn",
    "Example",
    "FamilyChurn",
    "Gate",
    "Moved",
    "Picture",
    "as_json",
    "churned",
]

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
"""The shares that :attr:`Churn.quantiles` are of."""


@dataclass(frozen=True, slots=True)
class Moved:
    """``pairs`` of a class (lost, gained, relation, kept) that had one relation and now have
    another; None where the pair was or is no match."""

    kind: str
    before: str | None
    after: str | None
    pairs: int


@dataclass(frozen=True, slots=True)
class Picture:
    """An image of an example; ``width`` and ``height`` in pixels."""

    uri: str
    sha256: str
    width: int | None
    height: int | None


@dataclass(frozen=True, slots=True)
class Example:
    """A pair of a class, derived → source, and what was and is said of it; None for no match."""

    kind: str
    derived: Picture
    source: Picture
    relation_before: str | None
    relation_after: str | None
    probability_before: float | None
    probability_after: float | None
    suppressed_before: str | None
    suppressed_after: str | None


@dataclass(frozen=True, slots=True)
class FamilyChurn:
    """A family with other members, or another source, than before; ``before`` or ``after`` is 0
    images for one that is new, or no more."""

    family_id: int
    before: int
    after: int
    joined: int
    departed: int
    source_before: str | None
    source_after: str | None


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether a model may serve: what stands against it, in sentences, and the figures behind.
    ``left_out`` are images that cannot be read any more, which it does without; the URIs of the
    first ones are named."""

    problems: Sequence[str]
    lost: int
    lost_allowed: int
    undescribed: int
    unmatched: int
    left_out: int = 0
    left_out_first: Sequence[str] = ()

    @property
    def without(self) -> str:
        """What is left out, in a sentence; empty where nothing is."""
        if not self.left_out:
            return ""
        first = ", ".join(map(visible, self.left_out_first))
        more = ", …" if self.left_out > len(self.left_out_first) else ""
        return (
            f"{plural(self.left_out, 'image')} left out, for bytes and preview are gone: "
            f"{first}{more}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Churn:
    """What changes when ``after`` serves in place of ``before`` (models). ``counted`` are matches
    that counted, ``differences`` pairs by how much their probability changed (20 bins from −1
    to 1), ``quantiles`` of these differences at :data:`QUANTILES`, empty where no pair is left.
    ``examples`` are the first of each class, ``families`` those that changed, both cut off."""

    before: str
    after: str
    counted: int
    moved: Sequence[Moved]
    differences: Sequence[int]
    quantiles: Sequence[float]
    examples: Sequence[Example]
    families_before: int
    families_changed: int
    families_new: int
    families_ended: int
    families: Sequence[FamilyChurn]
    gate: Gate

    def count(self, kind: str) -> int:
        return sum(m.pairs for m in self.moved if m.kind == kind)

    def shown(self, kind: str) -> list[Example]:
        return [e for e in self.examples if e.kind == kind]

    @property
    def totals(self) -> Mapping[str, int]:
        return {kind: self.count(kind) for kind in ("gained", "lost", "relation", "kept")}


def as_json(churn: Churn) -> dict[str, Any]:
    quantiles = dict(zip(map(str, QUANTILES), churn.quantiles, strict=False))
    return asdict(churn) | {"totals": dict(churn.totals), "quantiles": quantiles}


def churned(churn: Churn) -> RenderableType:
    """In a few lines."""
    t = churn.totals
    lines = [
        Text.assemble((f"{visible(churn.after)}", "bold"), f" in place of {visible(churn.before)}"),
        Text(
            f"matches     {churn.counted:,} before: {t['lost']:,} lost, {t['gained']:,} gained, "
            f"{t['relation']:,} of another relation or direction"
        ),
        Text(
            f"families    {churn.families_before:,} before: {churn.families_ended:,} ended, "
            f"{churn.families_new:,} new, {churn.families_changed:,} changed"
        ),
    ]
    if churn.quantiles:
        low, middle, high = (f"{churn.quantiles[i]:+.3f}" for i in (1, 3, 5))
        lines.append(Text(f"probability {middle} in the middle, 9 of 10 within {low} … {high}"))
    return Group(*lines, *gate(churn.gate))


def gate(found: Gate) -> list[Text]:
    if not found.problems:
        lines = [Text("gate        it holds: the model may serve", "green")]
    else:
        lines = [Text("gate        it is closed:")]
    lines += [Text(f"            {visible(p)}", "yellow") for p in found.problems]
    if found.without:
        lines.append(Text(f"            {found.without}"))
    return lines
