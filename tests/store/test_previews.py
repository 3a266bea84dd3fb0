"""Previews on a real folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from ris_jobs.errors import PreviewsUnavailable
from ris_jobs.settings import Settings
from ris_jobs.store.previews import open_previews

SHA = "ab" * 32


def test_what_is_written_can_be_read_and_nothing_else_is_left(tmp_path: Path) -> None:
    previews = open_previews(Settings(home=tmp_path / "a b"))
    assert previews.read(SHA) is None
    previews.write(SHA, b"one")
    previews.write(SHA, b"two")
    assert previews.read(SHA) == b"two"
    assert [p.name for p in (tmp_path / "a b").rglob("*") if p.is_file()] == [f"{SHA}.jpg"]


def test_an_unknown_protocol_is_refused_with_the_setting_to_change(tmp_path: Path) -> None:
    with pytest.raises(PreviewsUnavailable, match="RIS_PREVIEWS_URL"):
        open_previews(Settings(home=tmp_path, previews_url="nosuch://bucket"))


def test_another_file_system_works_too(tmp_path: Path) -> None:
    previews = open_previews(Settings(home=tmp_path, previews_url="memory://previews"))
    previews.write(SHA, b"one")
    assert previews.read(SHA) == b"one"
