from __future__ import annotations

from collections import Counter

import pytest


def test_files_that_take_longest_are_run_first(request: pytest.FixtureRequest) -> None:
    seconds = Counter[str]()
    for item in request.session.items:
        slow = item.get_closest_marker("slow")
        seconds[str(item.path)] += slow.args[0] if slow else 0
    assert [*seconds.values()] == sorted(seconds.values(), reverse=True)
