"""Decoding in child processes: what hostile files do to a child costs one image."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ris_jobs.errors import DecoderUnavailable, ImageRejected, Reason
from ris_jobs.fingerprint import Decoded, Trace
from ris_jobs.fingerprint.decode import decode
from ris_jobs.fingerprint.decoder import Decoder, Limits
from ris_jobs.formats import SUPPORTED

Photo = Callable[..., Image.Image]
Encode = Callable[..., bytes]


def decoder_with(memory: int = 1 << 30, seconds: float = 60) -> Decoder:
    limits = Limits(memory=memory, seconds=seconds)
    return Decoder(max_pixels=50_000_000, truncated="reject", limits=limits)


def test_children_are_not_given_passwords(
    photo: Photo, encoded: Encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RIS_DATABASE_URL", "postgresql://me:secret@db/ris")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    decoder = decoder_with()
    decoder(encoded(photo(), "PNG"))
    (child,) = decoder._idle
    given = Path(f"/proc/{child._process.pid}/environ").read_bytes()
    assert b"PATH=" in given and b"secret" not in given


@pytest.fixture
def decoder() -> Iterator[Decoder]:
    yield decoder_with()


@pytest.fixture(scope="module")
def slow(photo: Photo, encoded: Encode) -> bytes:
    """A progressive JPEG whose last scan comes 12,000 times more: seconds for few bytes."""
    data = encoded(photo(1200, 900), "JPEG", progressive=True, quality=5)
    scan = data.rindex(b"\xff\xda")
    return data[:-2] + data[scan:-2] * 12_000 + data[-2:]


def test_a_trace_that_cannot_be_taken_costs_itself(photo: Photo, encoded: Encode) -> None:
    whole = encoded(photo(), "JPEG")
    broken = encoded(photo(), "JPEG", icc_profile=b"no profile")
    known, lacking = map(decoder_with(), (whole, broken))
    assert [one.trace for one in lacking.lacking] == [Trace.PROFILE] and known.lacking == ()
    assert lacking.traces == known.traces
    assert (lacking.rgb == known.rgb).all() and lacking.sample == known.sample != b""


def rejection(decoder: Decoder, data: bytes) -> ImageRejected:
    with pytest.raises(ImageRejected) as caught:
        decoder(data)
    return caught.value


def started() -> set[int]:
    """Processes that this one has started, whichever thread it was."""
    tasks = Path("/proc/self/task").glob("*/children")
    return {int(pid) for task in tasks for pid in task.read_text().split()}


_others = set[int]()


@pytest.fixture(autouse=True)
def _alone() -> None:
    """No child of an earlier test: exceptions that were caught hold on to its decoder. Servers and
    decoders of other modules go on."""
    gc.collect()
    _others.clear()
    _others.update(started())


def children() -> set[int]:
    """Processes that this test has started."""
    return started() - _others


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def same(one: Decoded, other: Decoded) -> bool:
    known = [(d.format, d.frames, d.exif_orientation, d.traces) for d in (one, other)]
    return known[0] == known[1] and np.array_equal(one.rgb, other.rgb)


@pytest.mark.parametrize("fmt", SUPPORTED)
def test_it_gives_what_decoding_gives(
    decoder: Decoder, photo: Photo, encoded: Encode, fmt: str
) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "a camera ✓", 6
    data = encoded(photo(), fmt, exif=exif)
    here, there = (d(data) for d in (plain, decoder))
    assert same(here, there)
    assert here.rgb.flags.writeable == there.rgb.flags.writeable


def plain(data: bytes) -> Decoded:
    return decode(data, max_pixels=50_000_000, truncated="reject")


@pytest.mark.parametrize("data", [b"", b"a letter", b"\xff\xd8\xff\xe0 cut off"])
def test_a_rejection_is_the_same_and_keeps_the_child(decoder: Decoder, data: bytes) -> None:
    with pytest.raises(ImageRejected) as here:
        plain(data)
    there, before = rejection(decoder, data), children()
    assert (there.reason, there.detail) == (here.value.reason, here.value.detail)
    rejection(decoder, data)
    assert children() == before


def test_threads_share_it(decoder: Decoder, photo: Photo, encoded: Encode) -> None:
    files = [encoded(photo(seed=seed), "PNG") for seed in range(4)]
    wanted = [plain(file) for file in files]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(decoder, files * 20))
    assert all(map(same, found, wanted * 20))
    assert len(children()) <= 4


def test_a_child_knows_neither_torch_nor_a_database(decoder: Decoder, photo: Photo) -> None:
    rejection(decoder, b"")
    (child,) = children()
    maps = Path(f"/proc/{child}/maps").read_text()
    assert "PIL" in maps and not any(word in maps for word in ("torch", "pq", "cv2", "grpc"))


def test_too_little_memory_for_a_trace_is_too_little_for_the_image(encoded: Encode) -> None:
    """The picture fits into the memory there is, but one trace needs a copy of all its pixels. It
    would be lost for good, and is not where there is more memory the next time."""
    data = encoded(Image.new("RGB", (6000, 6000), (10, 200, 30)), "PNG")
    rejected = rejection(decoder_with(memory=460 << 20), data)
    assert rejected.reason is Reason.TOO_LARGE and "memory" in rejected.detail
    assert decoder_with()(data).lacking == ()


def test_too_much_memory_costs_one_image(photo: Photo, encoded: Encode) -> None:
    decoder = decoder_with(memory=200 << 20)
    rejected = rejection(decoder, encoded(Image.new("RGB", (6000, 6000)), "PNG"))
    assert rejected.reason is Reason.TOO_LARGE and "memory" in rejected.detail
    assert decoder(encoded(photo(), "PNG")).width == 120


def test_too_much_time_costs_one_image(slow: bytes, photo: Photo, encoded: Encode) -> None:
    decoder = decoder_with(seconds=0.5)
    rejected = rejection(decoder, slow)
    assert rejected.reason is Reason.DECODER_TOO_SLOW
    assert rejected.detail == "it was not decoded in 0.5 s of CPU time"
    assert decoder(encoded(photo(), "PNG")).width == 120


def test_a_child_that_only_waits_is_ended_by_the_clock(photo: Photo, encoded: Encode) -> None:
    decoder, data = decoder_with(seconds=0.2), encoded(photo(), "PNG")
    decoder(data)
    (child,) = children()
    os.kill(child, signal.SIGSTOP)
    threading.Timer(1.5, os.kill, (child, signal.SIGCONT)).start()
    assert rejection(decoder, data).reason is Reason.DECODER_TOO_SLOW
    assert decoder(data).width == 120


def kill_while_decoding(times: int) -> threading.Thread:
    """Segmentation faults, as far as parents can tell, a second into each of so many decodings."""

    def work() -> None:
        killed: set[int] = set()
        while len(killed) < times:
            for child in children() - killed:
                if cpu_seconds(child) > 1:
                    os.kill(child, signal.SIGSEGV)
                    killed.add(child)
            time.sleep(0.02)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_an_image_is_tried_again_in_another_child(decoder: Decoder, slow: bytes) -> None:
    killer = kill_while_decoding(1)
    assert decoder(slow).width == 1200
    assert not killer.is_alive()


def test_a_crash_for_the_second_time_costs_one_image(
    decoder: Decoder, slow: bytes, photo: Photo, encoded: Encode
) -> None:
    kill_while_decoding(2)
    rejected = rejection(decoder, slow)
    assert rejected.reason is Reason.DECODER_CRASHED
    assert rejected.detail == "its decoder died of it twice: SIGSEGV"
    assert decoder(encoded(photo(), "PNG")).width == 120


def test_a_child_that_died_idle_costs_nothing(
    decoder: Decoder, photo: Photo, encoded: Encode
) -> None:
    data = encoded(photo(), "PNG")
    decoder(data)
    (child,) = children()
    os.kill(child, signal.SIGKILL)
    assert decoder(data).width == 120


def test_a_child_that_cannot_start_is_no_fault_of_the_image(
    monkeypatch: pytest.MonkeyPatch, decoder: Decoder
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(DecoderUnavailable, match="exit status 1"):
        decoder(b"")
    monkeypatch.setattr(sys, "executable", "/nowhere")
    with pytest.raises(DecoderUnavailable, match="No such file"):
        decoder(b"")


def test_children_end_with_their_decoder(decoder: Decoder) -> None:
    before = children()
    another = decoder_with()
    rejection(another, b"")
    assert len(children() - before) == 1
    del another
    gc.collect()
    assert children() == before


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), 9)", "sys.exit()"])
def test_children_end_with_their_parent(end: str) -> None:
    program = f"""
import contextlib, os, pathlib, sys
from ris_jobs.fingerprint.decoder import Decoder
decoder = Decoder(max_pixels=1, truncated="reject")
with contextlib.suppress(Exception):
    decoder(b"")
print(pathlib.Path(f"/proc/self/task/{{os.getpid()}}/children").read_text(), flush=True)
{end}
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    child = Path("/proc", done.stdout.strip())
    assert child.name.isdigit() and done.stderr == ""
    deadline = time.monotonic() + 20
    while child.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not child.exists()
