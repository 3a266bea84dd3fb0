"""python -m benchmarks.fuzz --images 10000 --seed 0

Serves mutated images on loopback, fetches each as a crawl would, decodes it in a child process, and
prints what became of them by kind of mutation, the slowest, and the most memory that the children
and their parent had. Exit status 1 if one was neither decoded nor refused with a reason, or killed
its decoder: ``--only INDEX`` writes that file to standard output.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import io
import resource
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_network

from benchmarks.fuzz.mutate import MUTATIONS, Original, mutant, originals
from benchmarks.machine import machine, versions, where
from ris_jobs.crawl.fetch import Fetched, Policy, Refused
from ris_jobs.crawl.fetch.fetcher import Fetcher
from ris_jobs.errors import ImageRejected, Reason
from ris_jobs.fingerprint.decoder import Decoder, Limits

LIMITS = Limits(memory=1 << 30, seconds=10)
MAX_PIXELS = 20_000_000
AT_ONCE = 4
_OURS = (Reason.DECODER_CRASHED, Reason.FAILED)


@dataclass
class Fates:
    """What became of how many, by mutation; ``slowest`` in seconds; peaks in MiB."""

    counts: dict[str, Counter[str]] = field(
        default_factory=lambda: {name: Counter() for name in MUTATIONS}
    )
    bad: list[tuple[int, str]] = field(default_factory=list)
    slowest: float = 0.0
    child_peak: float = 0.0
    own_peak: float = 0.0

    def add(self, index: int, mutation: str, fate: str, seconds: float) -> None:
        self.counts[mutation][fate] += 1
        self.slowest = max(self.slowest, seconds)
        if fate != "ok" and (fate not in list(Reason) or fate in _OURS):
            self.bad.append((index, fate))


def fuzz(images: int, seed: int) -> Fates:
    """Fetch and decode that many mutated images."""
    fates = Fates()
    decoders = [
        Decoder(max_pixels=MAX_PIXELS, truncated=truncated, limits=LIMITS)
        for truncated in ("reject", "accept")
    ]
    asyncio.run(_fuzz(originals(), range(images), seed, decoders, fates))
    del decoders
    gc.collect()  # ends the children, whose peak is known then
    fates.child_peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    fates.own_peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return fates


async def _fuzz(
    sources: Sequence[Original],
    indexes: range,
    seed: int,
    decoders: Sequence[Decoder],
    fates: Fates,
) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        index = int((await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].removeprefix(b"/"))
        data = mutant(sources, seed, index).data
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + data)
        writer.close()

    async def work(waiting: list[int]) -> None:
        while waiting:
            index = waiting.pop()
            mutation = list(MUTATIONS)[index % len(MUTATIONS)]
            body, started = io.BytesIO(), time.perf_counter()
            fate = await _fate(fetcher, f"{site}/{index}", body, decoders[index // 7 % 2])
            fates.add(index, mutation, fate, time.perf_counter() - started)

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    site = f"http://127.0.0.1:{port}"
    policy = Policy(
        contact="fuzz@example.org",
        allowed=(ip_network("127.0.0.1"),),
        ports=frozenset({port}),
        max_bytes=16 << 20,
    )
    waiting = list(reversed(indexes))
    async with server, Fetcher(policy) as fetcher:
        await asyncio.gather(*(work(waiting) for _ in range(AT_ONCE)))


async def _fate(fetcher: Fetcher, url: str, body: io.BytesIO, decoder: Decoder) -> str:
    """``ok``, a reason, or what should not have happened."""
    outcome = await fetcher.fetch(url, body)
    if isinstance(outcome, Refused):
        return str(outcome.reason)
    if not isinstance(outcome, Fetched):
        return f"not fetched: {outcome}"
    try:
        await asyncio.to_thread(decoder, body.getvalue())
    except ImageRejected as rejection:
        return str(rejection.reason)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "ok"


def table(fates: Fates) -> str:
    """Markdown: a row for each fate, a column for each mutation."""
    rows = sorted({fate for counts in fates.counts.values() for fate in counts})
    lines = [["", *fates.counts], ["---"] * (len(fates.counts) + 1)]
    lines += [[row, *(str(counts[row]) for counts in fates.counts.values())] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, help="write this image and do nothing else")
    options = parser.parse_args(arguments)
    if options.only is not None:
        sys.stdout.buffer.write(mutant(originals(), options.seed, options.only).data)
        return 0
    started = time.perf_counter()
    fates = fuzz(options.images, options.seed)
    print(where(machine(), versions()))
    print(f"{options.images} images, seed {options.seed}, {time.perf_counter() - started:.0f} s\n")
    print(table(fates), "\n")
    print(f"slowest {fates.slowest:.1f} s (limit {LIMITS.seconds:g} s of CPU time)")
    print(f"peak memory: children {fates.child_peak:.0f} MiB, parent {fates.own_peak:.0f} MiB")
    for index, fate in fates.bad:
        print(f"image {index}: {fate}", file=sys.stderr)
    return 1 if fates.bad else 0


if __name__ == "__main__":
    sys.exit(main())
