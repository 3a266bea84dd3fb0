from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest
from PIL import Image

from ris_jobs.fingerprint.descriptor import load
from training import edits, evaluate


def test_average_precision_of_a_known_ranking() -> None:
    """Right at ranks 1 and 4: (1/1 + 2/4) / 2."""
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.1], np.float32)
    right = np.array([True, False, False, True, False])
    assert evaluate.average_precision(scores, right) == pytest.approx(0.75)


def test_ties_count_against_the_model() -> None:
    right = np.array([True, False, False, False])
    assert evaluate.average_precision(np.ones(4, np.float32), right) == pytest.approx(0.25)


def test_recall_counts_ties_against_the_model() -> None:
    similarity = np.array([[0.9, 0.1, 0.2], [0.5, 0.5, 0.1]], np.float32)
    assert evaluate._recall(similarity, np.arange(2)) == (0.5, 1.0)


@pytest.mark.parametrize("name", edits.WHOLE | edits.partly([]))
def test_edits_give_a_picture_that_depends_on_the_seed_alone(photos: Path, name: str) -> None:
    image = Image.open(photos / "0.png")
    edit = (edits.WHOLE | edits.partly([Image.open(photos / "1.png")]))[name]
    first, again = edit(image, Random("seed")), edit(image, Random("seed"))
    assert first.mode == "RGB" and min(first.size) >= 5
    assert first.tobytes() == again.tobytes()
    assert first.size != image.size or first.tobytes() != image.tobytes()


def test_measure_ranks_photos_among_distractors(photos: Path) -> None:
    files = sorted(photos.iterdir())
    found = evaluate.measure(load("builtin", None), files[:6], files[6:])
    assert found.references == 24 and found.queries == 6 * len(found.recall)
    assert found.recall["JPEG quality 75"] == (1.0, 1.0)
    assert 0 < found.uap <= 1 and "| mirrored |" in evaluate.table(found)
