"""Settings: one frozen value, read once from the environment, secrets masked.

Every field is set by ``RIS_<FIELD>``; ``settings.reference.env`` at the top of the repository
shows each with its default and meaning, and a test keeps that file complete.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

from ris_jobs.crawl.fetch import CONTACT
from ris_jobs.errors import ConfigError
from ris_jobs.indexes import KINDS

PREFIX = "RIS_"
# A folder of photos and a Milvus server, for tests and benchmarks, which run this program too.
_NOT_OURS = {"RIS_SHARED", "RIS_TEST_MILVUS"}
_REGIONS = re.compile(r"[0-5]\+(\d|[1-4]\d|50)")
_DEVICE = re.compile(r"auto|cpu|cuda(:\d{1,3})?")
_SECRET = re.compile(r"pass|secret|token|key|sig", re.IGNORECASE)
# Pillow itself refuses more.
MAX_PIXELS = 178_956_970


def _default_home() -> Path:
    return Path.home() / ".ris"


def _setting(doc: str, *, default: Any = None, factory: Any = None, results: bool = False) -> Any:
    """A field with its one-line meaning; ``results`` marks those that can change what is found."""
    meta = {"doc": doc, "results": results}
    if factory is not None:
        return field(default_factory=factory, metadata=meta)
    return field(default=default, metadata=meta)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a run may do and where its parts are. Build it with :meth:`from_env`."""

    home: Path = _setting("folder of the embedded default", factory=_default_home)
    database_url: str | None = _setting(
        "PostgreSQL 14+, postgresql+psycopg2://user:password@host/name; unset: embedded in home"
    )
    milvus_uri: str | None = _setting("Milvus, http://host:19530; unset: Milvus Lite in home")
    milvus_token: str | None = _setting("Milvus user:password or API key")
    index: str | None = _setting(
        f"kind of a new Milvus index: {', '.join(KINDS)}; unset: FLAT on Milvus Lite, else HNSW",
        results=True,
    )
    previews_url: str | None = _setting("fsspec URL for previews; unset: home/previews")
    fetched_url: str | None = _setting(
        "fsspec URL for images fetched from the web; unset: home/fetched"
    )
    weights_dir: Path | None = _setting("weights of optional models; unset: home/weights")
    model: str | None = _setting(
        "descriptor: builtin, resnet50, sscd; unset: the one that serves", results=True
    )
    regions: str | None = _setting(
        "parts of an image described beside the whole, grid+boxes; unset: the model's own",
        results=True,
    )
    top_k: int = _setting("neighbours looked at for each image", default=50, results=True)
    min_cosine: float = _setting(
        "candidates less similar than this are not looked at", default=0.35, results=True
    )
    min_probability: float = _setting(
        "pairs less likely than this are not stored", default=0.5, results=True
    )
    hub_limit: int = _setting(
        "what lies in more different pictures than this is a hub, whose composites are suppressed",
        default=50,
        results=True,
    )
    max_pixels: int = _setting(
        "pictures with more pixels are quarantined", default=MAX_PIXELS, results=True
    )
    max_bytes: int = _setting("larger files are quarantined", default=256 << 20, results=True)
    decode_memory: int = _setting(
        "MiB that decoding one image may take; what needs more is quarantined",
        default=4096,
        results=True,
    )
    decode_seconds: int = _setting(
        "seconds of CPU time that decoding one image may take", default=120, results=True
    )
    truncated: str = _setting(
        "cut-off files: reject, or accept what decodes", default="reject", results=True
    )
    c2pa_anchors: Path | None = _setting(
        "PEM file of certificates whose C2PA signatures are trusted; unset: none", results=True
    )
    preview_size: int = _setting("long side of previews, pixels", default=640, results=True)
    contact: str | None = _setting(
        "URL or mail address that servers on the web are told; web sources need one"
    )
    gone_after: int = _setting(
        "crawls in a row that are told 404 or 410, or find nothing at all in a folder or store, "
        "until an image is gone",
        default=3,
    )
    give_up_after: int = _setting(
        "crawls in a row that fail to fetch an image until it is given up", default=8
    )
    keep_fetched: int = _setting(
        "days that fetched images are kept once they are fingerprinted", default=0
    )
    gate_lost: float = _setting(
        "share of the matches that count which a new model may lose and still serve", default=0.02
    )
    gate_lost_floor: int = _setting("so many matches a new model may always lose", default=10)
    retention_days: int = _setting(
        "images gone for longer lose descriptors, vectors and preview; 0: never", default=0
    )
    recheck_days: int = _setting(
        "upkeep asks again for what no crawl of the web asked for in so many days; 0: never",
        default=30,
    )
    recheck_limit: int = _setting("URIs that one upkeep asks for again, at most", default=1000)
    batch_size: int = _setting("images a pipeline call", default=64)
    workers: int = _setting("threads that read, decode and judge; 0: one a core", default=0)
    device: str = _setting(
        "what computes descriptors: cpu, cuda, cuda:1, or auto, a GPU where there is one",
        default="auto",
    )
    patience: int = _setting(
        "seconds a job waits for a server that goes away in mid-work", default=300
    )
    notify: str | None = _setting(
        "Airflow connection with the webhook that is told of failed and unusual nights"
    )
    crawl_pool: str | None = _setting(
        "Airflow pool whose slots limit how many sources are crawled at once; unset: four are"
    )
    scan_tasks: int = _setting(
        "tasks that fingerprint, and that match, side by side in a scan of Airflow, unless a run "
        "says it; more than 1 need RIS_MILVUS_URI",
        default=1,
    )
    log: str = _setting("how log lines are written: text or json", default="text")

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Read ``RIS_*``; an unknown or unusable one raises :class:`ConfigError` that names it."""
        env = os.environ if env is None else env
        known = {PREFIX + f.name.upper(): f for f in fields(cls)}
        _refuse_unknown(env, known)
        values = {
            f.name: _parse(name, str(f.type), env[name])
            for name, f in known.items()
            if env.get(name)
        }
        settings = cls(**values)
        settings._check()
        return settings

    @classmethod
    def usable(cls, env: Mapping[str, str]) -> Settings:
        """The same without those that cannot be used."""
        try:
            return cls.from_env(env)
        except ConfigError as unusable:
            if unusable.setting not in env:
                raise
            return cls.usable({n: v for n, v in env.items() if n != unusable.setting})

    def _check(self) -> None:
        checks = {
            "top_k": (1 <= self.top_k <= 1000, "must be between 1 and 1000"),
            "min_cosine": (-1 <= self.min_cosine <= 1, "must be between -1 and 1"),
            "min_probability": (0 <= self.min_probability <= 1, "must be between 0 and 1"),
            "hub_limit": (1 <= self.hub_limit <= 1_000_000, "must be between 1 and 1000000"),
            "max_pixels": (
                0 < self.max_pixels <= MAX_PIXELS,
                f"must be between 1 and {MAX_PIXELS}",
            ),
            "max_bytes": (0 < self.max_bytes <= 2 << 30, "must be between 1 and 2147483648"),
            "decode_memory": (
                256 <= self.decode_memory <= 1 << 20,
                "must be between 256 and 1048576",
            ),
            "decode_seconds": (1 <= self.decode_seconds <= 3600, "must be between 1 and 3600"),
            "preview_size": (64 <= self.preview_size <= 4096, "must be between 64 and 4096"),
            "contact": (
                self.contact is None or bool(CONTACT.fullmatch(self.contact)),
                "must be a URL or mail address",
            ),
            "gone_after": (1 <= self.gone_after <= 1000, "must be between 1 and 1000"),
            "give_up_after": (1 <= self.give_up_after <= 1000, "must be between 1 and 1000"),
            "keep_fetched": (0 <= self.keep_fetched <= 36500, "must be between 0 and 36500"),
            "gate_lost": (0 <= self.gate_lost <= 1, "must be between 0 and 1"),
            "gate_lost_floor": (
                0 <= self.gate_lost_floor <= 1_000_000_000,
                "must be between 0 and 1000000000",
            ),
            "retention_days": (0 <= self.retention_days <= 36_500, "must be between 0 and 36500"),
            "recheck_days": (0 <= self.recheck_days <= 36_500, "must be between 0 and 36500"),
            "recheck_limit": (
                1 <= self.recheck_limit <= 1_000_000,
                "must be between 1 and 1000000",
            ),
            "batch_size": (1 <= self.batch_size <= 4096, "must be between 1 and 4096"),
            "workers": (0 <= self.workers <= 256, "must be between 0 and 256"),
            "device": (
                bool(_DEVICE.fullmatch(self.device)),
                "must be auto, cpu, cuda, or a GPU's number such as cuda:1",
            ),
            "scan_tasks": (1 <= self.scan_tasks <= 64, "must be between 1 and 64"),
            "log": (self.log in ("text", "json"), "must be text or json"),
            "patience": (0 <= self.patience <= 86_400, "must be between 0 and 86400"),
            "regions": (
                self.regions is None or bool(_REGIONS.fullmatch(self.regions)),
                "must be 0 to 5 windows of a grid, +, 0 to 50 boxes, such as 5+10",
            ),
            "index": (
                self.index is None or self.index in KINDS,
                f"must be one of {', '.join(KINDS)}",
            ),
            "c2pa_anchors": (
                self.c2pa_anchors is None or self.c2pa_anchors.is_file(),
                "must be a file",
            ),
            "truncated": (self.truncated in ("reject", "accept"), "must be reject or accept"),
            "database_url": (
                self.database_url is None
                or self.database_url.startswith(("postgresql+psycopg2://", "postgresql://")),
                "must start with postgresql+psycopg2://",
            ),
            "milvus_uri": (
                self.milvus_uri is None or self.milvus_uri.startswith(("http://", "https://")),
                "must start with http:// or https://",
            ),
        }
        for name, (ok, problem) in checks.items():
            if not ok:
                raise ConfigError(PREFIX + name.upper(), f"{problem}, not {self.masked()[name]!r}")

    @property
    def weights(self) -> Path:
        return self.weights_dir or self.home / "weights"

    @property
    def threads(self) -> int:
        return self.workers or os.cpu_count() or 1

    def masked(self) -> dict[str, Any]:
        """Field → value as shown to people: passwords and tokens replaced by ``***``."""
        shown = {f.name: getattr(self, f.name) for f in fields(self)}
        shown["database_url"] = mask_url(self.database_url)
        shown["milvus_uri"] = mask_url(self.milvus_uri)
        shown["previews_url"] = mask_url(self.previews_url)
        shown["fetched_url"] = mask_url(self.fetched_url)
        shown["milvus_token"] = "***" if self.milvus_token else None
        return {k: str(v) if isinstance(v, Path) else v for k, v in shown.items()}

    def secrets(self) -> tuple[str, ...]:
        """What must not be logged, in every spelling it has here: passwords and tokens."""
        token = self.milvus_token or ""
        found = [token, token.partition(":")[2], *_passwords(self.database_url)]
        for url in (self.milvus_uri, self.previews_url, self.fetched_url):
            found += _passwords(url) or [_account(url)]
        spelt = {s for secret in found if secret for s in (secret, unquote(secret))}
        return tuple(sorted(spelt, key=len, reverse=True))

    def explained(self) -> list[tuple[str, str, str, bool]]:
        """For each field: its variable, its masked value, its meaning, whether it was changed."""
        usual = Settings()
        shown = self.masked()
        return [
            (
                PREFIX + f.name.upper(),
                "" if shown[f.name] is None else str(shown[f.name]),
                f.metadata["doc"],
                getattr(self, f.name) != getattr(usual, f.name),
            )
            for f in fields(self)
        ]

    def as_recorded(self, recorded: Mapping[str, Any]) -> Settings:
        """These settings, but those that can change what is found as ``recorded``
        (:meth:`masked`); what was no setting then has its default. Files stay: they may be others
        now, and what they decided is stored with the images."""
        usual = Settings()
        deciding = [f.name for f in _deciding() if not str(f.type).startswith("Path")]
        return replace(self, **{n: recorded.get(n, getattr(usual, n)) for n in deciding})

    def results_hash(self) -> str:
        """12 hex digits over the settings that can change what a run finds; of files, over what
        they hold."""
        deciding = {f.name: _content(getattr(self, f.name)) for f in _deciding()}
        return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()[:12]


def _deciding() -> list[Field[Any]]:
    return [f for f in fields(Settings) if f.metadata["results"]]


def _content(value: Any) -> Any:
    return hashlib.sha256(value.read_bytes()).hexdigest() if isinstance(value, Path) else value


def mask_url(url: str | None) -> str | None:
    """The URL with what stands before its last ``@``, and any query, replaced by ``***``. It is
    not parsed: a password may hold any character, and a broken URL is shown too."""
    if url is None:
        return None
    scheme, mark, rest = url.partition("://")
    if "@" in rest:
        rest = "***@" + rest.rpartition("@")[2]
    path, query, _ = rest.partition("?")
    return scheme + mark + path + ("?***" if query else "")


def _account(url: str | None) -> str:
    return (url or "").partition("://")[2].rpartition("@")[0]


def _passwords(url: str | None) -> list[str]:
    """Those of the account, and of the query."""
    query = (url or "").partition("?")[2]
    named = [value for name, value in parse_qsl(query) if _SECRET.search(name)]
    return [p for p in (_account(url).partition(":")[2], *named) if p]


def _refuse_unknown(env: Mapping[str, str], known: Mapping[str, Any]) -> None:
    unknown = sorted({n for n in env if n.startswith(PREFIX)} - known.keys() - _NOT_OURS)
    if unknown:
        raise ConfigError(unknown[0], "is not a setting; `ris config show` lists them all")


def _parse(name: str, kind: str, text: str) -> Any:
    if kind.startswith("Path"):
        return Path(text).expanduser().absolute()
    parser = {"int": int, "float": float}.get(kind, str)
    try:
        return parser(text)
    except ValueError:
        article = "a whole number" if kind == "int" else "a number"
        raise ConfigError(name, f"must be {article}, not {text!r}") from None
