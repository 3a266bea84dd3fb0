"""Bins, error and picture of probabilities whose truth is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.reliability import bins, error, table


def test_true_probabilities_have_next_to_no_error() -> None:
    rng = np.random.default_rng(0)
    chance = rng.random(20_000)
    truth = (rng.random(20_000) < chance).astype(float)
    found = bins(chance, truth, np.ones(20_000))
    assert [one.low for one in found] == [n / 10 for n in range(10)]
    assert sum(one.pairs for one in found) == 20_000
    assert error(found) < 0.02


def test_a_pair_counts_as_often_as_it_is_weighted() -> None:
    found = bins(np.array([0.95, 1.0, 0.0]), np.array([1.0, 0.0, 0.0]), np.array([3.0, 1.0, 4.0]))
    assert [(one.low, one.pairs, one.share) for one in found] == [(0, 1, 0.5), (0.9, 2, 0.5)]
    assert found[1].true == 0.75 and found[1].said == pytest.approx((3 * 0.95 + 1) / 4)
    assert error(found) == pytest.approx(0.5 * (found[1].said - 0.75))
    assert list(table(found))[-1].startswith("  expected calibration error 0.10")


def test_the_picture_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="only training draws: pip install ris-jobs[bench]")
    from training.reliability import plot

    found = bins(np.array([0.1, 0.9]), np.array([0.0, 1.0]), np.ones(2))
    plot({"one": found, "two": found}, tmp_path / "reliability.png")
    assert (tmp_path / "reliability.png").stat().st_size > 5_000
