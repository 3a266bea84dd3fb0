"""Rows survive each format, in the contract's columns, and no CSV cell is a formula."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ris_jobs.report import export
from ris_jobs.report.rows import (
    FAMILY_COLUMNS,
    HIT_COLUMNS,
    IMAGE_COLUMNS,
    MATCH_COLUMNS,
    QUARANTINE_COLUMNS,
    RUN_COLUMNS,
    Columns,
)

CONTRACT = {
    "matches": "run_id, derived_uri, source_uri, derived_sha256, source_sha256, relation, "
    "probability, cosine, hash_distance, inliers, scale, orientation, box, suppressed, evidence, "
    "derived_tags, source_tags",
    "images": "uri, sha256, width, height, format, status, reason, first_seen_at, last_seen_at, "
    "gone_at, family_id, is_source, source_uri, source_confidence, source, tags, "
    "page, title, alt, link, published_at, columns",
    "families": "family_id, source_uri, confidence, reasons, members, model, overwritten",
    "quarantine": "uri, sha256, reason, detail, first_seen_at, last_seen_at, run_id",
    "hits": "run_id, bank, label, hash, distance, uri, sha256",
    "runs": "run_id, kind, status, started_at, finished_at, roots, model, calibration, "
    "config_hash, code_version, settings, summary",
}
COLUMNS = {
    "matches": MATCH_COLUMNS,
    "images": IMAGE_COLUMNS,
    "families": FAMILY_COLUMNS,
    "quarantine": QUARANTINE_COLUMNS,
    "hits": HIT_COLUMNS,
    "runs": RUN_COLUMNS,
}
SEEN = datetime(2026, 1, 31, 3, 15, 4, 250_000, tzinfo=timezone(timedelta(hours=1)))
MATCH = {
    "run_id": 7,
    "derived_uri": "file:///a/=cmd%7C.jpg",
    "source_uri": "=HYPERLINK(1)",
    "derived_sha256": "a" * 64,
    "source_sha256": "b" * 64,
    "relation": "crop",
    "probability": Decimal("0.97"),
    "cosine": -0.25,
    "hash_distance": 6,
    "inliers": None,
    "scale": 0.5,
    "orientation": 1,
    "box": (0.0, 0.25, 0.5, 1.0),
    "suppressed": None,
    "evidence": {"phash": 6, "name": 'é\n"', "nested": {"x": [1, 2.5, None]}},
    "derived_tags": ["press", "own"],
    "source_tags": [],
    "not_in_the_contract": 1,
}
IMAGE = dict.fromkeys(IMAGE_COLUMNS) | {
    "uri": "file:///a/b.jpg",
    "status": "ok",
    "first_seen_at": SEEN,
    "last_seen_at": SEEN,
    "width": 640,
    "is_source": True,
}
FAMILY = {
    "family_id": 1,
    "source_uri": None,
    "confidence": 0.5,
    "reasons": ["same size", "-2 dates"],
    "members": ["file:///a", "file:///b"],
    "model": "80a1385b1f5c",
    "overwritten": ["file:///c"],
}


def written(rows: list[dict[str, Any]], columns: Columns, format: export.Format) -> bytes:
    out = io.BytesIO()
    assert export.write(iter(rows), columns, format, out) == len(rows)
    return out.getvalue()


def read_csv(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8"), newline="")))


@pytest.mark.parametrize("table", CONTRACT)
def test_columns_are_the_contract(table: str) -> None:
    assert ", ".join(COLUMNS[table]) == CONTRACT[table]


@pytest.mark.parametrize("table", CONTRACT)
def test_no_rows_still_name_the_columns(table: str) -> None:
    columns = COLUMNS[table]
    assert written([], columns, "jsonl") == b""
    assert written([], columns, "csv").decode() == ",".join(columns) + "\r\n"
    empty = pq.read_table(io.BytesIO(written([], columns, "parquet")))
    assert empty.column_names == list(columns) and empty.num_rows == 0


def test_jsonl_gives_the_values_back() -> None:
    row = json.loads(written([MATCH], MATCH_COLUMNS, "jsonl"))
    expected = {k: v for k, v in MATCH.items() if k in MATCH_COLUMNS}
    expected |= {"probability": 0.97, "box": [0.0, 0.25, 0.5, 1.0]}
    assert row == expected
    assert list(row) == list(MATCH_COLUMNS)


def test_times_are_utc() -> None:
    line = json.loads(written([IMAGE], IMAGE_COLUMNS, "jsonl"))
    assert line["first_seen_at"] == "2026-01-31T02:15:04.250000Z"
    cell = read_csv(written([IMAGE], IMAGE_COLUMNS, "csv"))[0]["first_seen_at"]
    assert datetime.fromisoformat(cell) == SEEN
    with pytest.raises(ValueError, match="no time zone"):
        written([IMAGE | {"first_seen_at": datetime(2026, 1, 1)}], IMAGE_COLUMNS, "jsonl")


def test_csv_keeps_numbers_and_nests_json() -> None:
    row = read_csv(written([MATCH], MATCH_COLUMNS, "csv"))[0]
    assert row["cosine"] == "-0.25"
    assert row["inliers"] == row["suppressed"] == ""
    assert row["source_uri"] == "'=HYPERLINK(1)"
    assert row["derived_uri"] == MATCH["derived_uri"]
    assert json.loads(row["box"]) == [0.0, 0.25, 0.5, 1.0]
    assert json.loads(row["evidence"]) == MATCH["evidence"]
    family = read_csv(written([FAMILY], FAMILY_COLUMNS, "csv"))[0]
    assert json.loads(family["reasons"]) == FAMILY["reasons"]


def test_parquet_has_types_and_gives_the_values_back() -> None:
    table = pq.read_table(io.BytesIO(written([MATCH, MATCH], MATCH_COLUMNS, "parquet")))
    assert table.schema.field("box").type == pa.list_(pa.float64())
    assert table.schema.field("hash_distance").type == pa.int64()
    row = table.to_pylist()[1]
    assert json.loads(row.pop("evidence")) == MATCH["evidence"]
    line = json.loads(written([MATCH], MATCH_COLUMNS, "jsonl"))
    assert row == {name: value for name, value in line.items() if name != "evidence"}
    images = pq.read_table(io.BytesIO(written([IMAGE], IMAGE_COLUMNS, "parquet")))
    assert images.schema.field("first_seen_at").type == pa.timestamp("us", tz="UTC")
    assert images.to_pylist()[0]["first_seen_at"] == SEEN.astimezone(UTC)
    families = pq.read_table(io.BytesIO(written([FAMILY], FAMILY_COLUMNS, "parquet")))
    assert families.to_pylist() == [FAMILY]


def test_parquet_is_written_in_row_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "ROWS_A_GROUP", 10)
    file = pq.ParquetFile(io.BytesIO(written([FAMILY] * 25, FAMILY_COLUMNS, "parquet")))
    assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [10, 10, 5]


@pytest.mark.parametrize("format", ["jsonl", "csv", "parquet"])
def test_a_pipe_will_do(format: export.Format) -> None:
    """Standard output may not seek."""

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = b""

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            self.data += bytes(data)
            return len(data)

    pipe: BinaryIO = Pipe()  # type: ignore[assignment]  # all that write() needs
    assert export.write([FAMILY], FAMILY_COLUMNS, format, pipe) == 1
    assert pipe.data == written([FAMILY], FAMILY_COLUMNS, format)  # type: ignore[attr-defined]  # Pipe


def test_rows_are_not_gathered_first() -> None:
    out = io.BytesIO()

    def rows() -> Any:
        yield FAMILY
        assert out.getvalue().count(b"\n") == 1, "the first row was held back"
        yield FAMILY

    assert export.write(rows(), FAMILY_COLUMNS, "jsonl", out) == 2


def test_a_missing_column_is_an_error() -> None:
    with pytest.raises(KeyError, match="members"):
        written([{k: v for k, v in FAMILY.items() if k != "members"}], FAMILY_COLUMNS, "csv")


def test_names_that_are_not_unicode_can_be_exported() -> None:
    odd = FAMILY | {"source_uri": "file:///\udcff.jpg"}
    assert json.loads(written([odd], FAMILY_COLUMNS, "jsonl"))["source_uri"] == odd["source_uri"]
    assert read_csv(written([odd], FAMILY_COLUMNS, "csv"))[0]["source_uri"] == r"file:///\udcff.jpg"


def runs_as_formula(cell: str) -> bool:
    """What a spreadsheet sees: the first character that is neither blank, quote nor unprintable."""
    seen = "".join(
        c for c in cell if c not in "\"'`\u200b\u2060\ufeff" and c > " " and not c.isspace()
    )
    return seen[:1] in {*"=+-@", "\uff1d", "\uff0b", "\uff0d", "\uff20"} or cell[:1] in {*"\t\r\n"}


starts = st.text(alphabet="=+-@\t\r\n '\"`\ufeff\u00a0\uff1d,;aZ0", max_size=6)


@given(starts, st.text(alphabet=st.characters(codec="utf-8"), max_size=12))
@example("'", "=1+1")
@example("''", "-1")
@example(" \"'", "@SUM(A1)")
@example("", "=cmd|' /C calc'!A0")
def test_no_text_cell_is_a_formula(start: str, rest: str) -> None:
    text = start + rest
    row = FAMILY | {"source_uri": text}
    cell = read_csv(written([row], FAMILY_COLUMNS, "csv"))[0]["source_uri"]
    if runs_as_formula(text):
        assert cell == "'" + text
    assert cell in (text, "'" + text)
    undone = cell[1:] if re.match("'", cell) and export._FORMULA.match(cell[1:]) else cell
    assert undone == text
