"""Lists are read as the programs that write them make them, and hostile ones do no harm."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris_jobs.match import hash_list
from ris_jobs.match.hash_list import SHOWN, HashList, Problem, parse

A, B, C = ("0123456789abcdef" * 4, "f8f8f0cee0f4a84f" * 4, "e4cc89d91c623842" * 4)
MD5 = "0a21c8f85a55a9e276ffc2c53f6887c4"


def labels(found: HashList) -> dict[str, str | None]:
    return {pdq.hex(): label for pdq, label in found.hashes.items()}


CSV = {
    "hashes alone": (f"{A}\n{B.upper()}\n", {A: None, B: None}),
    "as pdq-photo-hasher writes it": (f"{A},100,a b.jpg\n", {A: "100 a b.jpg"}),
    "as HMA's samples": (
        f"{A},2880742865368386,2020-07-31T18:47:52+0000,disputed media_type_photo\n",
        {A: "2880742865368386 2020-07-31T18:47:52+0000 disputed media_type_photo"},
    ),
    "as the threatexchange command": (
        "collab,signal_type,signal_str,category,tags\n"
        f"Sample,pdq,{A},WORTH_INVESTIGATING,\nSample,pdq,{B},MALICIOUS,one two\n",
        {A: None, B: "one two"},
    ),
    "hash last": (f"FilePath,Hash\n../b.jpg,{A}\n", {A: "../b.jpg"}),
    "a header that names no hash": (f"note,fingerprint\nx,{A}\n", {A: "x"}),
    "two hashes a row": (f"hash,PDQ Hash,id\n{B},{A},7\n", {A: "7"}),
    "semicolons, quotes and a mark at the start": (
        f'\ufeff"Hash";"Label"\r\n"{A}";"so; so"\r\n',
        {A: "so; so"},
    ),
    "other signs than the delimiter in the first label": (
        f'{A},"a;b;c"\n{B},d\n',
        {A: "a;b;c", B: "d"},
    ),
    "the same without quotes": (f"{A}\ta, b, c;\n", {A: "a, b, c;"}),
    "a header with other signs than the delimiter": (
        f'"Hash, of; the, image";"Label"\n{A};"x"\n',
        {A: "x"},
    ),
    "tabs": (f"{A}\tx y\n", {A: "x y"}),
    "a formula stays text": (f"hash,label\n{A},=cmd|'/C calc'!A0\n", {A: "=cmd|'/C calc'!A0"}),
    "the first of equal hashes": (f"{A},one\n{A.upper()},two\n", {A: "one"}),
}


@pytest.mark.parametrize("name", CSV)
def test_csv(name: str) -> None:
    text, expected = CSV[name]
    found = parse(text.encode())
    assert labels(found) == expected
    assert (found.others, found.bad) == (0, 0)


@pytest.mark.parametrize("order", ["le", "be"])
@pytest.mark.parametrize("text", [f"hash;label\r\n{A};é\r\n", json.dumps([{"pdq": A, "id": "é"}])])
def test_utf16_is_read_by_its_mark(text: str, order: str) -> None:
    found = parse(f"\ufeff{text}".encode(f"utf-16-{order}"))
    assert (labels(found), found.bad) == ({A: "é"}, 0)


TAGGED = {"data": [{"id": "1", "text": "media_type_photo"}, {"id": "2", "text": "disputed"}]}
JSON = {
    "strings": ([A, B], {A: None, B: None}),
    "ThreatExchange, an update": (
        {"data": [{"id": "88", "indicator": A, "type": "HASH_PDQ", "tags": ["x", "y"]}]},
        {A: "88 x y"},
    ),
    "ThreatExchange, a descriptor": (
        {
            "data": [
                {
                    "raw_indicator": A,
                    "type": "HASH_PDQ",
                    "tags": TAGGED,
                    "indicator": {"id": "9", "indicator": A, "type": "HASH_PDQ"},
                }
            ],
            "paging": {"next": "https://example.org/"},
        },
        {A: "9 media_type_photo disputed"},
    ),
    "HMA, signals": ([{"signal_type": "pdq", "signal_value": A}], {A: None}),
    "HMA, the content of a bank": (
        [{"id": 12, "signals": {"pdq": A, "video_md5": MD5}, "bank": {"name": "b"}}],
        {A: "12"},
    ),
    "camel case": ([{"hashValue": A, "signalType": "ImagePDQ"}], {A: None}),
    "one object": ({"pdq": A, "note": "n"}, {A: "n"}),
}


@pytest.mark.parametrize("name", JSON)
def test_json(name: str) -> None:
    document, expected = JSON[name]
    for text in (
        json.dumps(document),
        json.dumps(document, indent=2),
        "\n " + json.dumps(document),
    ):
        found = parse(text.encode())
        assert labels(found) == expected
        assert (found.others, found.bad) == (0, 0)


def test_json_lines() -> None:
    lines = [{"pdq": A, "id": 1}, {"data": [{"indicator": B, "type": "HASH_PDQ"}]}, C]
    found = parse("\r\n".join(json.dumps(line) for line in lines).encode())
    assert labels(found) == {A: "1", B: None, C: None}


def test_other_signal_types_and_withdrawn_entries_are_skipped_and_counted() -> None:
    items = [
        {"indicator": B, "type": "HASH_SHA256"},  # 64 hex digits as well
        {"indicator": MD5, "type": "HASH_MD5"},
        {"signal_type": "pdq_ocr", "signal_value": f"{C},text"},
        {"indicator": C, "type": "HASH_PDQ", "should_delete": True},
        {"indicator": A, "type": "HASH_PDQ", "should_delete": False},
    ]
    found = parse(json.dumps(items).encode())
    assert labels(found) == {A: None}
    assert (found.others, found.bad) == (4, 0)
    found = parse(f"signal_type,hash\nmd5,{MD5}\nPDQ,{A}\n".encode())
    assert (labels(found), found.others) == ({A: None}, 1)


@pytest.mark.parametrize("mark", ["true", " TRUE ", "1", "Yes", "t"])
def test_an_entry_is_withdrawn_however_its_mark_is_written(mark: str) -> None:
    found = parse(f"hash,should_delete\n{A},{mark}\n{B},false\n{C},\n".encode())
    assert (set(labels(found)), found.others, found.bad) == ({B, C}, 1, 0)
    items = [{"pdq": A, "should_delete": said} for said in (mark, 1, True)]
    items += [{"pdq": B, "should_delete": said} for said in ("No", "0", 0, None, False)]
    found = parse(json.dumps(items).encode())
    assert (set(labels(found)), found.others, found.bad) == ({B}, 3, 0)


def test_a_hash_that_is_withdrawn_anywhere_in_the_file_is_left_out() -> None:
    again = {"indicator": {"indicator": A, "should_delete": True}, "should_delete": False}
    found = parse(json.dumps([{"pdq": A}, again, {"pdq": A}, {"pdq": B}]).encode())
    assert (set(labels(found)), found.withdrawn) == ({B}, {bytes.fromhex(A)})


@pytest.mark.parametrize("mark", ["maybe", 2, [1], {"a": 1}])
def test_a_mark_that_says_neither_cannot_be_used(mark: object) -> None:
    found = parse(json.dumps([{"pdq": A, "should_delete": mark}, {"pdq": B}]).encode())
    assert (set(labels(found)), found.others, found.bad) == ({B}, 0, 1)
    assert found.problems[0] == Problem("entry 1", "its should_delete is neither true nor false")


@pytest.mark.parametrize("name", ["quality", "PDQ_Quality", "pdqHashQuality", "hash quality"])
def test_a_hash_of_quality_below_50_is_left_out(name: str) -> None:
    found = parse(f"hash,{name},id\n{A},3,1\n{B}, 50 ,2\n{C},,3\n".encode())
    assert labels(found) == {B: "2", C: "3"}
    assert (found.poor, found.others, found.bad) == ({bytes.fromhex(A)}, 0, 0)
    items = [{"pdq": A, name: 49}, {"pdq": B, name: 100.0}, {"pdq": C, name: None}]
    found = parse(json.dumps(items).encode())
    assert (set(labels(found)), found.poor, found.bad) == ({B, C}, {bytes.fromhex(A)}, 0)


def test_poor_is_what_the_file_nowhere_lists_better_nor_withdraws() -> None:
    again = [(A, 0, ""), (A, 80, ""), (B, 0, ""), (B, 9, "true"), (C, 1, ""), (C, 2, "")]
    rows = "".join(f"{pdq},{quality},{mark}\n" for pdq, quality, mark in again)
    found = parse(f"hash,quality,should_delete\n{rows}".encode())
    assert (set(labels(found)), found.poor) == ({A}, {bytes.fromhex(C)})
    assert found.withdrawn == {bytes.fromhex(B)}


@pytest.mark.parametrize("quality", ["good", -1, 101, "nan", 10**400, [1], {"a": 1}])
def test_what_is_no_quality_cannot_be_used(quality: object) -> None:
    found = parse(json.dumps([{"pdq": A, "quality": quality}, {"pdq": B}]).encode())
    assert (set(labels(found)), found.poor, found.bad) == ({B}, set(), 1)
    assert found.problems[0] == Problem("entry 1", "its quality is no number from 0 to 100")


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_comments_are_skipped_wherever_they_stand(mark: str) -> None:
    said = f"{mark}# by us, 2026; all\n"
    found = parse(f"{said}label,hash\n  #\none,{A}\n# {C}\n#two,{B}\n# end".encode())
    assert (labels(found), found.bad) == ({A: "one", B: "#two"}, 0)
    items = [json.dumps({"pdq": A, "id": 1}), f"# {C}", json.dumps({"pdq": B})]
    found = parse((said + "\n".join(items)).encode())
    assert (labels(found), found.bad) == ({A: "1", B: None}, 0)


@pytest.mark.parametrize("header", ["", "sha256,fingerprint,file\n"])
def test_which_of_two_cells_is_the_hash_only_a_header_says(header: str) -> None:
    rows = f"{C},,a.mp4\n{A},{B},b.jpg\n"
    line = rows[:-1].count("\n") + 1 + bool(header)
    with pytest.raises(ValueError, match=f"^line {line} has several .* as sha256,pdq$"):
        parse(f"{header}{rows}".encode())
    assert labels(parse(f"sha256,pdq\n{A},{B}\n".encode())) == {B: None}
    assert set(labels(parse(f"{A},{A.upper()}\n".encode()))) == {A}


def test_a_row_without_the_cell_that_the_header_names_holds_no_hash() -> None:
    found = parse(f"sha256,pdq\n{A},{B}\n{C}\n".encode())
    assert (set(labels(found)), found.problems) == ({B}, (Problem("line 3", "it names no hash"),))


def test_bad_lines_are_counted_the_first_are_told_and_the_rest_goes_on() -> None:
    found = parse(f"hash,label\n{A},a\n{A[:-1]},b\n,c\n\n{A}0,d\n{B},e\n".encode())
    assert labels(found) == {A: "a", B: "e"}
    assert found.bad == 3
    assert found.problems[0] == Problem(
        "line 3", "'0123456789abcdef0123456789abcdef01234567' is not a PDQ hash of 64 hex digits"
    )
    assert [p.place for p in found.problems] == ["line 3", "line 4", "line 6"]
    many = parse(b"nonsense\n" * 100)
    assert (many.bad, len(many.problems), many.hashes) == (100, SHOWN, {})


def test_a_cell_in_quotes_may_hold_line_breaks() -> None:
    said = '"One, of\r\n\r\n# ""two"";\r\nlines"'
    rows = f'"file\r\nname",hash\r\n{said},{A}\r\n"x\ny","{B}\n"\r\nz,{C[1:]}\r\n'
    found = parse(rows.encode())
    assert labels(found) == {A: 'One, of # "two"; lines', B: "x y"}
    assert [problem.place for problem in found.problems] == ["line 10"]


def test_a_quote_that_is_never_closed_costs_its_line_only() -> None:
    found = parse(f'hash,label\n{A},"open\n{B},fine\n'.encode())
    assert labels(found) == {A: "open", B: "fine"}


@pytest.mark.parametrize("after", ["", '"', ',"', '"x', '\n",', "\n" * 200 + '"'])
def test_a_quote_that_is_closed_too_late_costs_its_line_only(after: str) -> None:
    found = labels(parse(f'hash,label\n{A},"open\n{B},fine{after}'.encode()))
    assert (set(found), found[A], str(found[B])[:4]) == ({A, B}, "open", "fine")


def test_a_quote_that_closes_far_behind_hides_no_bad_line() -> None:
    lines = "\n".join(["nonsense"] * (hash_list._FURTHER + 1))
    assert parse(f'{A},"open\n{lines}"\n'.encode()).bad == hash_list._FURTHER + 1
    assert parse(f'{A},"open\n{lines[9:]}"\n'.encode()).bad == 0


def test_a_broken_json_line_costs_itself_only() -> None:
    lines = [json.dumps({"pdq": A}), '{"pdq": ', "[[[1]]]", json.dumps({"pdq": B}), '{"x": 1}']
    found = parse("\n".join(lines).encode())
    assert labels(found) == {A: None, B: None}
    assert [(p.place, p.reason) for p in found.problems] == [
        ("line 2", "it is not JSON"),
        ("line 3", "it is neither a hash nor an object"),
        ("line 5", "it names no hash"),
    ]


def test_one_large_document_is_to_be_written_by_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hash_list, "_DOCUMENT_MAX", 100)
    items = [{"pdq": h} for h in (A, B)]
    found = parse(json.dumps(items).encode())
    assert (found.hashes, found.bad) == ({}, 1)
    assert found.problems[0].reason.endswith("in one piece; write one entry a line")
    assert len(parse("\n".join(map(json.dumps, items)).encode()).hashes) == 2


HOSTILE = {
    "nothing": b"",
    "blank": b" \n\r\n\t\n",
    "zero bytes": bytes(1000),
    "a picture": b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(range(256)) * 9,
    "one long line": b"a" * 300_000,
    "deep": b"[" * 100_000,
    "deep objects": b'{"indicator":' * 50_000,
    "a number of many digits": b"[" + b"9" * 10_000 + b"]",
    "UTF-16 without a mark": f"hash\n{A}\n".encode("utf-16-le"),
    "UTF-16, cut off": b"\xff\xfe" + f"{A}\n".encode("utf-16-le")[:61] + b"\x00\xd8",
    "not an entry": b'[1, null, true, {}, [], {"pdq": 5}, {"type": {}}]',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_hold_nothing(name: str) -> None:
    assert parse(HOSTILE[name]).hashes == {}


def test_labels_can_be_stored_whatever_they_hold() -> None:
    item = {"pdq": A, "label": "a\x00b\ud800\n\tc" + "d" * 1000, "tags": [[[[[[["deep"]]]]]]]}
    (label,) = parse(json.dumps([item]).encode()).hashes.values()
    assert label is not None and label.startswith("ab? c") and len(label) == 500
    label.encode("utf-8")


@given(st.binary(max_size=300) | st.text(alphabet='[]{}",:;a0\n\t', max_size=80).map(str.encode))
def test_any_bytes_will_do(data: bytes) -> None:
    assert parse(data).bad >= 0
