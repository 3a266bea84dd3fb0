"""A short run of the fuzz: every mutated image ends well, and mutations are what they say."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from benchmarks.fuzz.__main__ import LIMITS, fuzz, main, table
from benchmarks.fuzz.mutate import MUTATIONS, Original, mutant, originals
from ris_jobs.errors import ImageRejected
from ris_jobs.fingerprint.decode import decode
from ris_jobs.formats import SUPPORTED, sniff

# Pillow warns of damaged metadata; a filter keeps that in outside of pytest.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")

IMAGES = 300


@pytest.fixture(scope="module")
def sources() -> list[Original]:
    return originals()


def test_originals_are_of_every_format_and_intact(sources: list[Original]) -> None:
    assert {sniff(original.data[:32]) for original in sources} == set(SUPPORTED)
    for original in sources:
        decoded = decode(original.data, max_pixels=1_000_000, truncated="reject")
        assert sorted(decoded.rgb.shape[:2]) == sorted((original.height, original.width))


def test_mutants_are_repeatable_and_others_than_their_originals(sources: list[Original]) -> None:
    intact = {original.data for original in sources}
    for index in range(60):
        made = mutant(sources, 1, index)
        assert made == mutant(sources, 1, index)
        assert made.data not in intact
    assert mutant(sources, 1, 0) != mutant(sources, 2, 0)


def test_each_mutation_spoils_some_and_not_only_their_beginning(sources: list[Original]) -> None:
    spoilt, recognised = set(), set()
    for index in range(90):
        made = mutant(sources, 0, index)
        if made.mutation == "bomb":
            continue
        if sniff(made.data[:32]):
            recognised.add(made.mutation)
        try:
            decode(made.data, max_pixels=1_000_000, truncated="reject")
        except ImageRejected:
            spoilt.add(made.mutation)
    assert spoilt == recognised == MUTATIONS.keys() - {"bomb"}


def test_every_mutated_image_ends_well() -> None:
    fates = fuzz(IMAGES, 0)
    assert fates.bad == []
    assert sum(counts.total() for counts in fates.counts.values()) == IMAGES
    assert all(len(counts) > 1 for counts in fates.counts.values()), table(fates)


def test_the_command_says_how_much_memory_it_took() -> None:
    # In a process of its own: a child counts as large as its parent was when it was forked.
    command = [sys.executable, "-m", "benchmarks.fuzz", "--images", "60"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    peak = re.search(r"children (\d+) MiB", done.stdout)
    assert peak is not None
    assert 0 < int(peak[1]) < LIMITS.memory >> 20


def test_one_image_can_be_had(
    sources: list[Original], capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main(["--only", "7"]) == 0
    assert capfdbinary.readouterr().out == mutant(sources, 0, 7).data
