from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.provenance import nights
from benchmarks.provenance.nights import Night, lines, watched
from benchmarks.provenance.suite import Family, File


def test_pairs_and_ids_are_looked_at_after_each_night(monkeypatch: pytest.MonkeyPatch) -> None:
    files = [File(name, "copy", (), night) for name, night in (("a", 0), ("b", 0), ("c", 1))]
    other = Family("copies", "q.jpg", "d", [File("d", "root", (), 0), File("e", "copy", (), 1)])
    families = [Family("copies", "p.jpg", "a", files), other]
    said = iter([{"a": 1, "b": 1}, {"a": 2, "b": 1, "c": 1, "e": 1}])
    arrived: list[Any] = []
    monkeypatch.setattr(nights, "arrive", lambda *args: arrived.append(args[-1]))
    monkeypatch.setattr(nights, "verdicts", lambda out: (next(said), {}, {}))
    found = list(watched(families, Path("files"), Path("out"), 2))
    assert arrived == [0, 1]
    assert found == [Night(3, 1, 1.0, 1.0, 1.0), Night(5, 2, 1 / 3, 1 / 4, 0.5)]
    assert list(lines(found))[-1] == "| 2 | 5 | 2 | 0.3333 | 0.2500 | 0.5000 |"
