from __future__ import annotations

from pathlib import Path

import pytest

from training import splits


def folder(tmp_path: Path, names: list[str]) -> Path:
    for name in names:
        (tmp_path / name).touch()
    return tmp_path


def test_parts_are_disjoint_and_complete(tmp_path: Path) -> None:
    names = [f"{n}.webp" for n in range(50)]
    found = splits.split(folder(tmp_path, names), 10, 5)
    parts = [found.train, found.validation, found.calibration]
    assert [len(part) for part in parts] == [35, 10, 5]
    assert sorted(path.name for part in parts for path in part) == sorted(names)


def test_order_comes_from_the_names_alone(tmp_path: Path) -> None:
    """Golden: the sha256 of these names begin with 58 (c), 5f (b) and 7f (a)."""
    found = splits.split(folder(tmp_path, ["a.png", "b.png", "c.png"]), 1, 1)
    order = [*found.validation, *found.calibration, *found.train]
    assert [path.name for path in order] == ["c.png", "b.png", "a.png"]


def test_a_new_photo_moves_no_more_than_one_in_each_part(tmp_path: Path) -> None:
    names = [f"{n}.webp" for n in range(50)]
    before = splits.split(folder(tmp_path, names), 10, 5)
    (tmp_path / "new.webp").touch()
    after = splits.split(tmp_path, 10, 5)
    assert len(set(before.validation) - set(after.validation)) <= 1


def test_other_files_are_left_out(tmp_path: Path) -> None:
    found = splits.split(folder(tmp_path, ["a.png", "b.JPG", "notes.txt"]), 1, 0)
    assert len(found.train) == 1


def test_too_few_photos(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds 2 photos, 3 of them are kept apart"):
        splits.split(folder(tmp_path, ["a.png", "b.png"]), 2, 1)
