from __future__ import annotations

from pathlib import Path

import pytest

from ris_jobs.errors import ConfigError, DecoderUnavailable
from ris_jobs.fingerprint.anchors import count_anchors
from ris_jobs.fingerprint.decoder import Decoder
from tests.fingerprint.signing import Authority
from tests.fingerprint.test_manifest import picture


def block(what: str) -> str:
    return f"-----BEGIN {what}-----\nMIIB\n-----END {what}-----\n"


@pytest.mark.parametrize("bad", ["", "hello", block("CERTIFICATE"), block("PRIVATE KEY")])
def test_a_file_without_certificates_is_refused(tmp_path: Path, bad: str) -> None:
    (path := tmp_path / "anchors.pem").write_text(bad)
    with pytest.raises(ConfigError, match=f"RIS_C2PA_ANCHORS must be .*{path}"):
        count_anchors(path)


def test_so_is_one_that_is_damaged_among_others(tmp_path: Path) -> None:
    (path := tmp_path / "anchors.pem").write_text(Authority().anchors + block("CERTIFICATE"))
    with pytest.raises(ConfigError, match="RIS_C2PA_ANCHORS"):
        count_anchors(path)


def test_certificates_are_counted_whatever_stands_between_them(tmp_path: Path) -> None:
    one, two = Authority().anchors, Authority().anchors
    (path := tmp_path / "anchors.pem").write_bytes((one + "# Jürgen\n" + two).encode("latin-1"))
    assert count_anchors(path) == 2
    Decoder(max_pixels=10**6, truncated="reject", anchors=path)(picture())


def test_nothing_is_decoded_where_it_cannot_be_said_who_is_trusted(tmp_path: Path) -> None:
    (path := tmp_path / "anchors.pem").write_text("hello")
    decoder = Decoder(max_pixels=10**6, truncated="reject", anchors=path)
    with pytest.raises(DecoderUnavailable):
        decoder(picture())
