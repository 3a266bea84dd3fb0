"""Every error of ris-jobs, made for the person who reads it.

RisError                 anything this package raises on purpose
├── ConfigError          a setting is wrong                              (exit 2)
├── Unavailable          a server or file we depend on cannot be used    (exit 2)
│   ├── DatabaseUnavailable
│   ├── AirflowUnavailable   the Airflow of this machine did not start
│   ├── VectorsUnavailable
│   ├── PreviewsUnavailable
│   ├── FetchedUnavailable
│   ├── SourceUnavailable    what a source names cannot be listed
│   ├── DecoderUnavailable   no process to decode in can be started
│   ├── ModelUnavailable     weights are not here and cannot be fetched
│   └── WeightsMismatch      weights are here, but not the pinned bytes
├── IndexDiffers         a collection has another index than is set      (exit 1)
├── CrawlFailed          the process that crawls a website died          (exit 2)
├── SourcesFailed        some of several sources could not be crawled    (exit 2)
├── ServingChanged       another model serves now: run the same again    (exit 1)
├── GateClosed           a model may not serve yet                       (exit 1)
├── NotFound             what was asked for is not in the tables         (exit 1)
├── HashListRejected     a file of known hashes cannot be used           (exit 1)
├── UrlRefused           a URL leads where a crawl may not go
└── ImageRejected        one image cannot be used; it is quarantined and the run goes on

Errors carry what they know as attributes; ``str(error)`` is one sentence that says what
happened, to what, and what to do about it. Causes are chained with ``from``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path


class RisError(Exception):
    """Base class; ``exit_code`` is what the command line returns when it ends a run."""

    exit_code = 1


class ConfigError(RisError):
    """A setting has a value that cannot work."""

    exit_code = 2

    def __init__(self, setting: str, problem: str) -> None:
        self.setting = setting
        self.problem = problem
        super().__init__(f"{setting} {problem}")


class Unavailable(RisError):
    """Something the run depends on cannot be used now."""

    exit_code = 2


class _ServerUnavailable(Unavailable):
    what = "server"

    def __init__(self, where: str, problem: str, fix: str) -> None:
        self.where = where
        self.problem = problem
        self.fix = fix
        super().__init__(f"{self.what} at {where} cannot be used: {problem}. {fix}")


class DatabaseUnavailable(_ServerUnavailable):
    """PostgreSQL did not answer, or refused. ``where`` never holds a password."""

    what = "PostgreSQL"


class AirflowUnavailable(_ServerUnavailable):
    """The Airflow of this machine did not start."""

    what = "Airflow"


class VectorsUnavailable(_ServerUnavailable):
    """Milvus did not answer, or refused; ``passing`` where the same may succeed later."""

    what = "Milvus"

    def __init__(self, where: str, problem: str, fix: str, *, passing: bool = False) -> None:
        self.passing = passing
        super().__init__(where, problem, fix)


class PreviewsUnavailable(_ServerUnavailable):
    """The preview store cannot be read or written."""

    what = "preview store"


class SourceUnavailable(Unavailable):
    """What a source is made of cannot be listed or read. ``problem`` never holds a secret."""

    def __init__(self, name: str, problem: str, fix: str) -> None:
        self.name = name
        self.problem = problem
        self.fix = fix
        super().__init__(f"source {name!r} cannot be crawled: {problem}. {fix}")


class FetchedUnavailable(_ServerUnavailable):
    """The store of fetched bytes cannot be read or written."""

    what = "store of fetched images"


class DecoderUnavailable(Unavailable):
    """Images are decoded in child processes, and none can be started."""

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(
            f"no process to decode images in can be started: {problem}. "
            "Are memory and processes short, or is the installation damaged?"
        )


class DeviceUnavailable(Unavailable):
    """What computes descriptors cannot go on, whatever the pictures are."""

    def __init__(self, device: str, problem: str) -> None:
        self.device = device
        self.problem = problem
        super().__init__(
            f"{device} cannot compute descriptors: {problem}. Free it and run again, or name "
            "another by RIS_DEVICE (cpu, cuda:1)."
        )


class ModelUnavailable(Unavailable):
    """The weights of a model are not here and could not be fetched."""

    def __init__(self, name: str, problem: str, fix: str) -> None:
        self.name = name
        self.problem = problem
        self.fix = fix
        super().__init__(f"model {name!r} cannot be used: {problem}. {fix}")


class WeightsMismatch(Unavailable):
    """A weights file does not hold the bytes its model is pinned to."""

    def __init__(self, path: Path, expected: str, actual: str) -> None:
        self.path = path
        self.expected = expected
        self.actual = actual
        super().__init__(
            f"{path} is not the pinned weights file: its sha256 is {actual}, expected {expected}. "
            "Delete it and fetch it again, or put the right file there."
        )


class IndexDiffers(RisError):
    """The index of a collection is not of the kind that is set."""

    fix = "`ris index rebuild` makes it so."

    def __init__(self, where: str, has: str, wanted: str) -> None:
        self.has = has
        self.wanted = wanted
        super().__init__(f"the index of {where} is {has}, and RIS_INDEX asks for {wanted}")


class CrawlFailed(RisError):
    """The process that crawls a website died. ``words`` are its last, perhaps none."""

    exit_code = 2

    def __init__(self, source: str, how: str, words: str) -> None:
        self.source = source
        self.how = how
        self.words = words
        said = f" Its last words: {words}" if words else ""
        super().__init__(
            f"the crawl of source {source!r} {how}. What it gave until then is kept; run it again "
            f"to go on.{said}"
        )


class SourcesFailed(RisError):
    """Some of several sources could not be crawled. ``problems`` are name to sentence."""

    exit_code = 2

    def __init__(self, problems: Mapping[str, str], of: int) -> None:
        self.problems = dict(problems)
        self.of = of
        said = "; ".join(f"{name}: {problem}" for name, problem in self.problems.items())
        super().__init__(
            f"{len(self.problems)} of {of} sources were not crawled to the end: {said}"
        )


class ServingChanged(RisError):
    """The model that serves was changed while a run was at work with another one."""

    def __init__(self) -> None:
        super().__init__(
            "the model that serves was changed meanwhile, so this run stops here: run the same "
            "again, it goes on with the model that serves now"
        )


class GateClosed(RisError):
    """A model may not serve yet. ``problems`` are sentences for people."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            f"the model was not changed: {'; '.join(self.problems)}. `ris reindex report` shows "
            "more; `ris reindex switch --force --why TEXT` changes it nevertheless"
        )


class NotFound(RisError):
    """What was asked for is not in the tables."""


class HashListRejected(RisError):
    """A file of known hashes cannot be used; nothing of it was imported."""

    def __init__(self, path: str, problem: str) -> None:
        self.path = path
        self.problem = problem
        super().__init__(f"{path} was not imported: {problem}")


class Reason(StrEnum):
    """Why an image is in quarantine or was not fetched. The values are stored and exported."""

    UNREADABLE = "unreadable"
    EMPTY = "empty"
    NOT_AN_IMAGE = "not-an-image"
    UNSUPPORTED_FORMAT = "unsupported-format"
    TRUNCATED = "truncated"
    CORRUPT = "corrupt"
    TOO_LARGE = "too-large"
    TOO_SMALL = "too-small"
    DECODER_CRASHED = "decoder-crashed"
    DECODER_TOO_SLOW = "decoder-too-slow"
    CHANGED = "changed-while-read"
    VANISHED = "vanished"
    URL_REFUSED = "url-refused"
    ADDRESS_REFUSED = "address-refused"
    TOO_MANY_REDIRECTS = "too-many-redirects"
    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed-out"
    HTTP_STATUS = "http-status"
    BAD_RESPONSE = "bad-response"
    ROBOTS_REFUSED = "robots-refused"
    NOINDEX = "noindex"
    FAILED = "failed"


class UrlRefused(RisError):
    """A URL leads where a crawl may not go. ``detail`` is a sentence for people."""

    def __init__(self, reason: Reason, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason.value}: {detail}")


class ImageRejected(RisError):
    """One image cannot be used. ``detail`` is a sentence for the person who looks it up."""

    def __init__(self, reason: Reason, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason.value}: {detail}")
