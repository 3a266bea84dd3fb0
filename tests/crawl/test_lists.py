"""Lists of URLs: exact where they are good, said where they are bad, and bounded."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris_jobs.crawl import lists, parquet
from ris_jobs.crawl.lists import Bad, Entry
from ris_jobs.errors import ConfigError

ROWS = [
    {"id": "1", "url": "HTTPS://Example.com:443/ä.jpg", "caption": 'a, "b"\nc'},
    {"id": "2", "url": "http://127.1/x.jpg", "caption": ""},
    {"id": "3", "url": "file:///etc/passwd", "caption": "x"},
    {"id": "4", "url": "", "caption": "none"},
    {"id": "5", "url": "http://example.com/b.jpg", "caption": "=1+1"},
]
EXPECTED = [
    ("https://example.com/%C3%A4.jpg", {"id": "1", "caption": 'a, "b"\nc'}),
    (2, "http://127.1/x.jpg"),
    (3, "file:///etc/passwd"),
    (4, ""),
    ("http://example.com/b.jpg", {"id": "5", "caption": "=1+1"}),
]


def read(file: Path) -> list[tuple[object, object]]:
    return [
        (x.uri, dict(x.columns)) if isinstance(x, Entry) else (x.row, x.text)
        for x in lists.read(file, "a")
    ]


def test_csv_json_lines_and_parquet_say_the_same(tmp_path: Path) -> None:
    table = pa.Table.from_pylist(ROWS)
    pq.write_table(table, tmp_path / "list")
    assert read(tmp_path / "list") == EXPECTED
    (tmp_path / "list").write_text("".join(json.dumps(r) + "\n" for r in ROWS), "utf-8")
    assert read(tmp_path / "list") == EXPECTED
    import csv

    with (tmp_path / "list").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, ["id", "url", "caption"])
        writer.writeheader()
        writer.writerows(ROWS)
    assert read(tmp_path / "list") == EXPECTED


def test_cells_are_cut_and_columns_counted(tmp_path: Path) -> None:
    row = {"URL": "http://example.com/a.jpg", "nul": "a\0b", "long": "x" * 5000, "half": "\ud800"}
    many = row | {f"c{i}": i for i in range(100)}
    (tmp_path / "list").write_text(json.dumps(many) + "\n")
    ((_, columns),) = read(tmp_path / "list")
    assert isinstance(columns, dict)
    assert columns["nul"] == "ab"
    assert columns["long"] == "x" * lists.MAX_CELL
    assert columns["half"] == "?"
    assert len(columns) == lists.MAX_COLUMNS


def test_a_line_without_end_and_a_cell_without_end_cost_a_row_each(tmp_path: Path) -> None:
    good = '{"url": "http://example.com/a.jpg"}\n'
    (tmp_path / "list").write_text(good + '{"url": "' + "x" * 3_000_000 + '"}\n' + good)
    assert [isinstance(x, Bad) for x in lists.read(tmp_path / "list", "a")] == [False, True, False]
    cell = 'url\nhttp://example.com/a.jpg\n"' + "x" * 300_000 + "\nhttp://example.com/b.jpg\n"
    (tmp_path / "list").write_text(cell)
    found = list(lists.read(tmp_path / "list", "a"))
    assert isinstance(found[0], Entry)
    assert any(isinstance(x, Bad) for x in found)


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"", b"\x89PNG\r\n", b"PAR1 is no Parquet"])
def test_what_has_no_urls_is_no_list(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "list").write_bytes(content)
    with pytest.raises(ConfigError, match="source 'a': location"):
        list(lists.read(tmp_path / "list", "a"))


@given(st.binary(max_size=2000), st.sampled_from([b"", b"url,x\n", b'{"url": "a"}\n', b"PAR1"]))
def test_any_bytes_are_a_list_or_none(content: bytes, head: bytes) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "list"
        file.write_bytes(head + content)
        try:
            found = list(lists.read(file, "a"))
        except ConfigError:
            return
    for entry in found:
        if isinstance(entry, Entry):
            assert entry.uri.isascii() and "\0" not in "".join(entry.columns.values())


BOMB = """
import sys, pyarrow as pa, pyarrow.parquet as pq
table = pa.table({"url": ["http://example.com/a.jpg"], "caption": ["x" * (150 << 20)]})
pq.write_table(table, sys.argv[1], compression="zstd")
"""
READ = """
import re, sys
from pathlib import Path
from ris_jobs.crawl import lists
assert len(list(lists.read(Path(sys.argv[1]), "a"))) == 1
print(int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) >> 10)
"""


def python(program: str, *arguments: object) -> str:
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def test_a_small_file_of_huge_cells_takes_no_memory_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = tmp_path / "list"
    python(BOMB, bomb)
    assert bomb.stat().st_size < 100_000
    assert int(python(READ, bomb)) < 150  # MiB
    monkeypatch.setattr(parquet, "MAX_MEMORY", 200 << 20)
    with pytest.raises(ConfigError, match=r"source 'a': location is Parquet .*200 MiB of memory"):
        list(lists.read(bomb, "a"))


def test_more_text_than_anybody_needs_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "list")
    monkeypatch.setattr(parquet, "MAX_TEXT", 100)
    with pytest.raises(ConfigError, match="of text"):
        list(lists.read(tmp_path / "list", "a"))
