"""Figures of workers side by side: counts add up, time does not."""

from __future__ import annotations

from dataclasses import asdict

from ris_jobs.jobs.figures import together
from ris_jobs.jobs.match import Matched


def test_counts_and_stages_add_up_and_the_slowest_counts() -> None:
    one = Matched(images=3, matched=1, seconds=4.0, pixels=2)
    two = Matched(images=5, matched=2, seconds=3.0, keypoints=1)
    one.stages, two.stages = {"search": 1.0, "judge": 2.0}, {"search": 0.5, "again": 1.0}
    both = Matched(**together([asdict(one), asdict(two)]))
    assert (both.images, both.matched, both.pixels, both.keypoints) == (8, 3, 2, 1)
    assert both.seconds == 4.0
    assert both.stages == {"search": 1.5, "judge": 2.0, "again": 1.0}


def test_one_worker_is_itself_and_none_is_nothing() -> None:
    one = asdict(Matched(images=3, seconds=4.0))
    assert together([one]) == one
    assert together(None) == {}
