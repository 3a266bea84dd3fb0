from __future__ import annotations

import io
import socket
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Thread

import c2pa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ris_jobs.fingerprint import as_json, from_json
from ris_jobs.fingerprint.decoder import Decoder
from ris_jobs.fingerprint.manifest import read_manifest
from ris_jobs.provenance.claims import claimed
from tests.fingerprint.signing import Authority


def picture(fmt: str = "JPEG", side: int = 120) -> bytes:
    values = np.random.default_rng(side).integers(0, 256, (side, side, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, fmt)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def signed(authority: Authority) -> bytes:
    return authority.signed(picture())


@pytest.mark.parametrize("fmt", ["JPEG", "PNG", "WEBP"])
def test_a_signature_is_trusted_if_its_signer_is_known(authority: Authority, fmt: str) -> None:
    data = authority.signed(picture(fmt), f"image/{fmt.lower()}")
    known, unknown = read_manifest(data, fmt, authority.anchors), read_manifest(data, fmt)
    assert known is not None and unknown is not None
    assert (known.state, unknown.state) == ("trusted", "valid")
    assert known == replace(unknown, state="trusted")
    assert known.signer == "Acme" and known.created and not known.parents
    other = read_manifest(data, fmt, Authority().anchors)
    assert other == unknown


def test_a_file_without_a_manifest_has_none() -> None:
    assert read_manifest(picture(), "JPEG") is None
    assert read_manifest(picture("BMP"), "BMP") is None
    assert read_manifest(picture() + b"jumb", "JPEG") is None


def test_a_manifest_of_another_picture_is_broken(signed: bytes) -> None:
    changed = bytearray(signed)
    changed[-300] ^= 1
    found = read_manifest(bytes(changed), "JPEG")
    assert found is not None and found.state == "broken"


def test_a_parent_is_named(authority: Authority, signed: bytes) -> None:
    parent = read_manifest(signed, "JPEG")
    child = read_manifest(authority.signed(picture(side=90), parent=signed), "JPEG")
    assert parent is not None and child is not None
    assert child.parents == (parent.label,) and not child.created
    assert claimed(child, parent) == 0.6 == -claimed(parent, child)
    trusted = replace(child, state="trusted")
    assert claimed(trusted, parent) == 1
    orphan = read_manifest(authority.signed(picture(side=90), parent=picture()), "JPEG")
    assert orphan is not None and orphan.parents == ("",)
    assert claimed(orphan, None) == 0.3
    assert claimed(None, parent) == 0.15
    assert claimed(replace(child, state="broken"), None) == 0
    # A name that was copied into another file says no more than that there is some parent.
    copied = replace(parent, state="broken")
    assert claimed(trusted, copied) == 0.5 == claimed(trusted, None)
    assert claimed(child, copied) == 0.3 == -claimed(copied, child)
    assert claimed(None, None) == claimed(parent, parent) == 0


def test_names_are_of_characters_that_can_be_stored(authority: Authority, signed: bytes) -> None:
    found = read_manifest(nul_in_parent(authority, signed), "JPEG")
    assert found is not None and len(found.parents) == 1
    assert found.parents[0].startswith("urn:c2pa:") and "\0" not in found.parents[0]


def nul_in_parent(authority: Authority, parent: bytes) -> bytes:
    """A signed picture made of ``parent``, whose name has a NUL where the file names it again."""
    known = read_manifest(parent, "JPEG")
    assert known is not None
    data = bytearray(authority.signed(picture(side=90), parent=parent))
    at = data.index(known.label.encode(), data.rindex(b"activeManifest"))
    data[at + len(known.label) - 3] = 0
    return bytes(data)


def test_it_passes_through_the_child_and_json(
    authority: Authority, signed: bytes, tmp_path: Path
) -> None:
    anchors = tmp_path / "anchors.pem"
    anchors.write_text(authority.anchors)
    decoder = Decoder(max_pixels=10**6, truncated="reject", anchors=anchors)
    traces = decoder(signed).traces
    assert traces.manifest is not None and traces.manifest.state == "trusted"
    assert from_json(as_json(traces)) == traces
    assert decoder(picture()).traces.manifest is None


@settings(max_examples=60)
@given(st.data())
def test_damaged_manifests_end_as_broken_or_none(signed: bytes, data: st.DataObject) -> None:
    spoiled = bytearray(signed)
    for at in data.draw(st.lists(st.integers(0, 4000), min_size=1, max_size=20)):
        spoiled[at % len(spoiled)] = data.draw(st.integers(0, 255))
    found = read_manifest(bytes(spoiled), "JPEG")
    assert found is None or found.state in ("broken", "valid")


def test_nothing_is_fetched() -> None:
    """The manifest is at a server of this test, which the library asks unless told otherwise."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        data = elsewhere(f"http://127.0.0.1:{server.getsockname()[1]}/m.c2pa")
        usual = Thread(target=read_as_usual, args=(data,))
        usual.start()
        server.accept()[0].close()
        usual.join()
        server.settimeout(0.3)
        assert read_manifest(data, "JPEG") is None
        with pytest.raises(TimeoutError):
            server.accept()


def elsewhere(url: str) -> bytes:
    xmp = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/'
        '22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:dcterms="http://purl.org/dc/'
        f'terms/" dcterms:provenance="{url}"/></rdf:RDF></x:xmpmeta>'
    )
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64)).save(buffer, "JPEG", xmp=xmp.encode(), comment=b"jumb")
    return buffer.getvalue()


def read_as_usual(data: bytes) -> None:
    with suppress(c2pa.C2paError):
        c2pa.Reader("image/jpeg", io.BytesIO(data))
