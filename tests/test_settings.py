"""Settings: read once, checked, masked, and all of them documented."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from ris_jobs.errors import ConfigError
from ris_jobs.settings import Settings, mask_url

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = (ROOT / "settings.reference.env").read_text()


def test_the_reference_file_names_every_setting_and_no_other() -> None:
    named = re.findall(r"^(?:# )?(RIS_[A-Z0-9_]+)=", REFERENCE, re.MULTILINE)
    assert sorted(named) == sorted("RIS_" + f.name.upper() for f in fields(Settings))


def test_the_reference_file_states_the_real_defaults() -> None:
    stated = dict(re.findall(r"^(RIS_[A-Z0-9_]+)=(.*)$", REFERENCE, re.MULTILINE))
    assert Settings.from_env(stated) == Settings.from_env({})


def test_values_are_read_with_their_types() -> None:
    settings = Settings.from_env({"RIS_TOP_K": "7", "RIS_MIN_COSINE": "0.5", "RIS_HOME": "~/x"})
    assert (settings.top_k, settings.min_cosine) == (7, 0.5)
    assert settings.home == Path.home() / "x"


def test_an_empty_variable_is_an_unset_one() -> None:
    assert Settings.from_env({"RIS_MILVUS_URI": ""}) == Settings.from_env({})


def test_a_misspelt_setting_is_refused() -> None:
    with pytest.raises(ConfigError, match="RIS_TOPK is not a setting"):
        Settings.from_env({"RIS_TOPK": "7"})


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (None, None),
        ("postgresql://db/ris", "postgresql://db/ris"),
        ("postgresql://me:p%40ss@db:5432/ris", "postgresql://***@db:5432/ris"),
        ("postgresql://me:s3cr/e#t?@db/ris", "postgresql://***@db/ris"),
        ("http://token@host:1", "http://***@host:1"),
        ("postgresql://me:p[w@db/ris", "postgresql://***@db/ris"),
        ("postgresql://db/ris?password=x", "postgresql://db/ris?***"),
    ],
)
def test_passwords_are_masked(url: str | None, shown: str | None) -> None:
    assert mask_url(url) == shown


def test_the_results_hash_changes_with_what_decides_results_only() -> None:
    usual = Settings()
    assert Settings(workers=3, home=Path("/x")).results_hash() == usual.results_hash()
    assert Settings(top_k=3).results_hash() != usual.results_hash()


def test_the_results_hash_changes_with_who_is_trusted_wherever_that_is_written(
    tmp_path: Path,
) -> None:
    one, same, other = (tmp_path / name for name in ("one.pem", "same.pem", "other.pem"))
    for path, said in ((one, "a"), (same, "a"), (other, "b")):
        path.write_text(said)
    hashes = [Settings(c2pa_anchors=path).results_hash() for path in (one, same, other, None)]
    assert hashes[0] == hashes[1] and len({*hashes}) == 3
    recorded = Settings(c2pa_anchors=one).masked()
    assert Settings(c2pa_anchors=other).as_recorded(recorded).c2pa_anchors == other


def test_settings_of_a_run_are_those_that_decide_and_the_rest_stays() -> None:
    run = Settings(top_k=3, truncated="accept", workers=3, regions="5+0")
    now = Settings(home=Path("/x"), hub_limit=9, min_probability=0.9).as_recorded(run.masked())
    assert now.results_hash() == run.results_hash()
    assert (now.home, now.workers) == (Path("/x"), 0)
    # Recorded before there were hubs.
    assert Settings(hub_limit=9).as_recorded({"top_k": 3}) == Settings(top_k=3)


def test_without_what_cannot_be_used_the_rest_is() -> None:
    env = {"RIS_SCAN_TASKS": "six", "RIS_TOP_K": "0", "RIS_NOTIFY": "hook", "RIS_NOTHING": "1"}
    assert Settings.usable(env) == Settings(notify="hook")
