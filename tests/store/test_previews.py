"""Previews on a real folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ris_jobs.errors import PreviewsUnavailable
from ris_jobs.settings import Settings
from ris_jobs.store.previews import Listed, open_previews

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


@pytest.mark.parametrize("url", [None, "memory://kept"])
def test_keypoints_lie_beside_their_preview_and_go_with_it(tmp_path: Path, url: str | None) -> None:
    previews = open_previews(Settings(home=tmp_path, previews_url=url))
    assert previews.read_keypoints(SHA) is None
    for other in (SHA, SHA[::-1]):
        previews.write(other, b"picture")
        previews.write_keypoints(other, b"keys")
    assert (previews.read(SHA), previews.read_keypoints(SHA)) == (b"picture", b"keys")
    previews.delete(SHA)
    assert (previews.read(SHA), previews.read_keypoints(SHA)) == (None, None)
    assert previews.read_keypoints(SHA[::-1]) == b"keys"


def test_a_preview_without_keypoints_can_be_deleted(tmp_path: Path) -> None:
    previews = open_previews(Settings(home=tmp_path))
    previews.write(SHA, b"picture")
    previews.delete(SHA)
    assert previews.read(SHA) is None


@pytest.mark.parametrize("url", [None, "memory://listed"])
def test_what_there_is_can_be_listed(tmp_path: Path, url: str | None) -> None:
    previews = open_previews(Settings(home=tmp_path, previews_url=url))
    assert previews.listed("ab") == Listed(frozenset(), ())
    previews.write(SHA, b"picture")
    previews.write_keypoints("abcd" * 16, b"keys of a preview that is gone")
    previews.write("cd" * 32, b"elsewhere")
    assert previews.listed("ab") == Listed(frozenset({SHA, "abcd" * 16}), ())


def test_only_old_files_of_writers_are_left_over(tmp_path: Path) -> None:
    previews = open_previews(Settings(home=tmp_path))
    previews.write(SHA, b"picture")
    old, new = (tmp_path / "previews" / "ab" / f"{SHA}.jpg.{n}.part" for n in (1, 2))
    for path in (old, new):
        path.touch()
    os.utime(old, (time.time() - 100_000,) * 2)
    assert previews.listed("ab").left_over == (str(old),)


_KILLED = """
import resource, signal, sys
from pathlib import Path
from ris_jobs.settings import Settings
from ris_jobs.store.previews import open_previews
previews = open_previews(Settings(home=Path(sys.argv[1])))
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
previews.write_keypoints(sys.argv[2], b"new" * 1000)
"""


def test_a_killed_write_leaves_nothing_half(tmp_path: Path) -> None:
    """Killed by the kernel after 1,000 bytes."""
    previews = open_previews(Settings(home=tmp_path))
    previews.write_keypoints(SHA, b"old" * 1000)
    done = subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path), SHA], check=False)
    assert done.returncode == -signal.SIGXFSZ
    assert previews.read_keypoints(SHA) == b"old" * 1000
