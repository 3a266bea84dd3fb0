"""Changing the model, upkeep and erasure on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ris_jobs.cli import main
from ris_jobs.demo import edits
from ris_jobs.demo.folder import photos
from ris_jobs.settings import Settings

Ris = Callable[..., Result]


@pytest.fixture
def ris(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Ris:
    """Run ``ris`` in this process on a fresh home."""
    monkeypatch.setenv("RIS_HOME", str(settings.home))
    monkeypatch.setenv("RIS_DATABASE_URL", str(settings.database_url))

    def run(*arguments: object, code: int = 0) -> Result:
        result = CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)
        assert result.exit_code == code, result.output
        return result

    return run


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    picture = dict(photos())["coffee"]
    (tmp_path / "small.jpg").write_bytes(edits.jpeg(edits.thumbnail(picture, 200)))
    (tmp_path / "photo.jpg").write_bytes(edits.jpeg(picture, 92))
    return tmp_path / "photo.jpg"


def values(result: Result) -> Any:
    return json.loads(result.stdout)


def test_a_change_of_the_model_from_start_to_end(ris: Ris, photo: Path, tmp_path: Path) -> None:
    ris("scan", photo, tmp_path / "small.jpg")
    assert values(ris("reindex", "status", "--json"))["beside"] is None
    assert "no change of the model is open" in ris("reindex", "run", code=1).output
    said = ris("reindex", "start", "builtin", "--regions", "0+0", "--by", "me").output
    assert "serves      builtin-2 5+10" in said and "builtin-2 0+0, the new one" in said
    assert "more is left" in ris("reindex", "run", "--limit", "1", code=1).output
    assert "it has not described 1 image" in ris("reindex", "switch", code=1).output
    done = values(ris("reindex", "run", "--json"))
    assert (done["ready"], done["matched"]["written"]) == (True, 1)
    page = tmp_path / "churn.html"
    said = ris("reindex", "report", "-o", page).output
    assert "matches     1 before: 0 lost, 0 gained" in said and "it holds" in said
    assert page.exists()
    found = values(ris("reindex", "report", "--json"))
    assert found["totals"] == {"gained": 0, "lost": 0, "relation": 0, "kept": 1}
    assert found["quantiles"]["0.5"] == pytest.approx(0, abs=0.1)
    ris("reindex", "switch")
    assert "the new model serves already" in ris("reindex", "switch", code=1).output
    ris("reindex", "rollback", "--why", "a test")
    log = values(ris("reindex", "status", "--json"))["choices"]
    assert [c["why"] for c in log[:2]] == ["a test", "the gate held"]
    assert "serves      builtin-2 5+10" in ris("reindex", "abandon").output
    # The index of any model can be looked at.
    ris("index", "check")


@pytest.mark.parametrize(
    "wrong",
    [
        ("reindex", "start", "nothing"),
        ("reindex", "start", "builtin", "--regions", "9+9"),
        ("reindex", "switch", "--force"),
        ("reindex", "run", "--limit", "0"),
        ("reindex", "rollback"),
        ("erase", "x"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_asked_for(ris: Ris, wrong: tuple[str, ...]) -> None:
    assert "Traceback" not in ris(*wrong, code=2).output


def test_upkeep_and_erasure(ris: Ris, photo: Path) -> None:
    ris("scan", photo)
    assert "all is in order" in ris("upkeep").output
    assert values(ris("erase", photo, "--why", "a test", "--json"))["allow_return"] is False
    said = ris("erase", photo, "--why", "a test", "--by", "me", "--allow-return").output
    assert "was erased by me" in said and "may come back" in said
    assert "reports and elsewhere: delete them" in " ".join(said.split())
    assert set(values(ris("upkeep", "--dry-run", "--json")).values()) == {0}
