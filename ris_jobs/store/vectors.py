"""Milvus: nearest neighbours of descriptors. Derived data, rebuilt from PostgreSQL at any time.

One collection a model, one vector a region of an image and one of its hash, the metric cosine.
Whole pictures have a partition of their own, so that regions can be compared with them alone, and
so have hashes. Milvus Lite holds everything in one folder that one process may open at a time; a
server takes the same calls.
"""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ris_jobs import metrics
from ris_jobs.errors import ConfigError, VectorsUnavailable
from ris_jobs.indexes import KINDS, Kind
from ris_jobs.match.candidates import HASH, Described, Hits
from ris_jobs.settings import Settings, mask_url
from ris_jobs.store.home import make
from ris_jobs.store.runs import Model

_TIMEOUT_S = 60.0
_CONNECT_TIMEOUT_S = 10.0
_PAGE = 10_000
WHOLES, REGIONS, HASHES = "wholes", "regions", "hashes"
# The key of a vector is its image's id times this, plus which part of the image it is of.
_PARTS = HASH + 1
# Part of a collection's name, another whenever what is put into it changes.
_LAYOUT = 2
# What a call may carry: vectors of this many bytes, a quarter of the limit, and this many queries.
_BYTES, _QUERIES = 16 << 20, 512
# Keys deleted a call.
_KEYS = 8_192
# How many places a whole gets for each image it looks for: an image that is near as a whole is
# mostly near with some of its regions too.
_SHARED = 4
# The client's own default, a ping every 10 seconds, makes Milvus Lite close the connection
# while a long batch is being judged.
_GRPC_OPTIONS = {"grpc.keepalive_time_ms": 300_000}


_FIX = (
    "Is it running? `ris doctor` tells more. Once it is there again, run the same command: it goes "
    "on where this one stopped."
)
# Names of gRPC status codes that waiting does not mend.
_REFUSALS = {"PERMISSION_DENIED", "UNAUTHENTICATED", "INVALID_ARGUMENT", "UNIMPLEMENTED"}


class Vectors:
    """The collection of one model. Open it with :func:`open_vectors`."""

    def __init__(
        self, client: Any, where: str, model: Model, lite_path: str | None, index: str | None
    ) -> None:
        self._client = client
        self._where = where
        self._lite_path = lite_path
        self._model = model
        self._interrupted = False
        self.wanted = self._wanted(index)
        self.collection = self._ensure()

    def beside(self, model: Model) -> Vectors:
        """The collection of another model, open as long as this one is."""
        return Vectors(self._client, self._where, model, self._lite_path, self.wanted.name)

    def upsert(self, described: Described) -> None:
        """Put the vectors of images. A part that is already there is replaced; an image keeps its
        number of parts, which follows from its bytes and the model."""
        groups = (described.wholes(), described.regions(), described.hashes())
        for partition, some in zip((WHOLES, REGIONS, HASHES), groups, strict=True):
            keys = (some.owners * _PARTS + some.parts).tolist()
            rows = [{"key": k, "vector": v} for k, v in zip(keys, some.vectors, strict=True)]
            at_once = max(1, _BYTES // (4 * self._model.dim))
            for start in range(0, len(rows), at_once):
                with self._errors("upsert"):
                    self._client.upsert(
                        self.collection,
                        rows[start : start + at_once],
                        partition_name=partition,
                        timeout=_TIMEOUT_S,
                    )

    def neighbours(self, described: Described, k: int) -> list[tuple[Described, Hits]]:
        """What is near each image: its whole among wholes and regions, its regions among wholes,
        its hash and the inverse of that among hashes; the ``k`` nearest of each, and more of a
        whole, since one image may take several of its places."""
        wholes, regions, hashes = described.wholes(), described.regions(), described.hashes()
        inverted = hashes.inverted()
        return [
            (wholes, self.search(wholes.vectors, k * _SHARED)),
            (regions, self.search(regions.vectors, k, [WHOLES])),
            (hashes, self.search(hashes.vectors, k, [HASHES])),
            (inverted, self.search(inverted.vectors, k, [HASHES])),
        ]

    def search(
        self,
        vectors: npt.NDArray[np.float32],
        k: int,
        partitions: Sequence[str] = (WHOLES, REGIONS),
    ) -> Hits:
        """The ``k`` nearest of each row in these partitions; where fewer are found the id is −1
        and the cosine −1."""
        keys = np.full((len(vectors), k), -1, np.int64)
        cosines = np.full((len(vectors), k), -1.0, np.float32)
        for start in range(0, len(vectors), _QUERIES):
            found = self._found(vectors[start : start + _QUERIES], k, [*partitions])
            for row, hits in enumerate(found, start):
                keys[row, : len(hits)] = [hit["key"] for hit in hits]
                cosines[row, : len(hits)] = [hit["distance"] for hit in hits]
        return Hits(keys // _PARTS, keys % _PARTS, cosines)

    def _found(self, vectors: npt.NDArray[np.float32], k: int, partitions: list[str]) -> Any:
        with self._errors("search"):
            return self._client.search(
                self.collection,
                data=list(vectors),
                anns_field="vector",
                limit=k,
                partition_names=partitions,
                output_fields=["key"],
                search_params={"metric_type": "COSINE", "params": self._kind.search(k)},
                timeout=_TIMEOUT_S,
            )

    def delete(self, ids: Sequence[int]) -> None:
        """Forget all vectors of these images."""
        keys = [i * _PARTS + part for i in ids for part in range(_PARTS)]
        for start in range(0, len(keys), _KEYS):
            with self._errors("delete"):
                self._client.delete(
                    self.collection, ids=keys[start : start + _KEYS], timeout=_TIMEOUT_S
                )

    def count(self) -> int:
        with self._errors("count"):
            rows = self._client.query(
                self.collection, output_fields=["count(*)"], timeout=_TIMEOUT_S
            )
        return int(rows[0]["count(*)"])

    def ids(self, low: int = 0, high: int | None = None) -> Iterator[int]:
        """The image id of every vector in the collection, of ids from ``low`` on and below
        ``high``."""
        within = f"key >= {low * _PARTS}"
        if high is not None:
            within += f" and key < {high * _PARTS}"
        with self._errors("query"):
            pages = self._client.query_iterator(
                self.collection,
                batch_size=_PAGE,
                filter=within,
                output_fields=["key"],
                timeout=_TIMEOUT_S,
            )
            while page := pages.next():
                yield from (row["key"] // _PARTS for row in page)
            pages.close()

    def recreate(self) -> None:
        """Drop everything and start with an empty collection."""
        self.drop(self.collection)
        self.collection = self._ensure()

    def drop(self, collection: str) -> None:
        """Forget a collection, this one or one that took its place; nothing if it is gone."""
        with self._errors("drop"):
            self._client.drop_collection(collection)

    def _ensure(self) -> str:
        """The name of the model's collection, which is made if there is none. Its last part is
        random, given when it is made: another name is another content."""
        prefix = _prefix(self._model)
        with self._errors("open"):
            found: list[str] = [
                str(n) for n in self._client.list_collections() if n.startswith(prefix)
            ]
            name = min(found, default=prefix + uuid.uuid4().hex[:12])
            if not found:
                self._create(name)
            # One that was killed while it made a collection may have left it without the rest.
            if not self._client.list_indexes(name):
                self._create_index(name)
            for partition in {WHOLES, REGIONS, HASHES} - set(self._client.list_partitions(name)):
                self._client.create_partition(name, partition)
            self._client.load_collection(name)
            built = self._client.describe_index(name, "vector")["index_type"]
            self._kind = KINDS.get(built) or Kind(built, {})
            return name

    def _create(self, name: str) -> None:
        from pymilvus import DataType

        schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("key", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=self._model.dim)
        self._client.create_collection(name, schema=schema, consistency_level="Strong")

    def _create_index(self, name: str) -> None:
        """Raises :class:`ConfigError` when the server does not know the kind; the collection,
        which is of no use then, is dropped."""
        from pymilvus.exceptions import MilvusException

        index = self._client.prepare_index_params()
        kind = self.wanted
        index.add_index(
            "vector", index_type=kind.name, metric_type="COSINE", params=dict(kind.build)
        )
        try:
            self._client.create_index(name, index)
        except MilvusException as e:
            self._client.drop_collection(name)
            refused = f"is {kind.name}, which Milvus at {self._where} refuses: {e.message}"
            raise ConfigError("RIS_INDEX", refused) from e

    def _wanted(self, index: str | None) -> Kind:
        """The kind a collection is made with. Milvus Lite takes any name and then builds nothing,
        so it is refused here. On Lite an exact scan is both faster to build and faster to search
        up to 100,000 images."""
        with self._errors("open"):
            lite = str(self._client.get_server_version()).startswith("milvus_lite")
        kind = KINDS[index or ("FLAT" if lite else "HNSW")]
        if lite and not kind.lite:
            has = ", ".join(name for name, kind in KINDS.items() if kind.lite)
            raise ConfigError(
                "RIS_INDEX",
                f"is {kind.name}, which Milvus Lite does not have: it has {has}. "
                "RIS_MILVUS_URI names a server",
            )
        return kind

    @property
    def index(self) -> str:
        """The kind of index the collection has, which need not be the ``wanted``."""
        return self._kind.name

    @contextmanager
    def _errors(self, doing: str) -> Iterator[None]:
        from grpc import RpcError  # what pymilvus does not try again, such as a server that hangs
        from pymilvus.exceptions import MilvusException

        try:
            with metrics.timed("ris.vectors.duration", operation=doing):
                if self._interrupted:
                    self._client.load_collection(self.collection)
                    self._interrupted = False
                yield
        except (MilvusException, RpcError) as e:
            # A server that was restarted has no collection in memory.
            self._interrupted = doing != "open"
            problem, passing = f"{doing} failed ({_message(e)})", not _refused(e)
            raise VectorsUnavailable(self._where, problem, _FIX, passing=passing) from e

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _close(self._client, self._lite_path)


def open_vectors(settings: Settings, model: Model) -> Vectors:
    """The model's collection on ``milvus_uri``, or Milvus Lite in the home folder.

    Raises :class:`VectorsUnavailable`, and :class:`ConfigError` for an index it does not have.
    """
    lite_path = None if settings.milvus_uri else _lite_path(settings.home)
    uri = lite_path or settings.milvus_uri or ""
    where = mask_url(uri) or uri
    client = _connect(uri, settings.milvus_token, where)
    try:
        return Vectors(client, where, model, lite_path, settings.index)
    except BaseException:
        _close(client, lite_path)
        raise


def _connect(uri: str, token: str | None, where: str) -> Any:
    from pymilvus import MilvusClient  # sets its loggers up, so they are quietened after it

    # They log whole tracebacks; the error raised here says it once.
    for name in ("pymilvus", "milvus_lite", "grpc"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        return MilvusClient(
            uri=uri, token=token or "", timeout=_CONNECT_TIMEOUT_S, grpc_options=_GRPC_OPTIONS
        )
    except Exception as e:
        if uri.startswith("http"):
            problem, fix = f"no answer ({e})", "Is RIS_MILVUS_URI right, and the server running?"
        else:
            problem = "its files cannot be opened"
            fix = (
                "Most likely another ris process is using this RIS_HOME: wait for it, or run a "
                "Milvus server and set RIS_MILVUS_URI."
            )
        raise VectorsUnavailable(where, problem, fix) from e


def _message(error: Any) -> str:
    """In one line: gRPC adds addresses and its own source files to what a server said."""
    said = error.message if hasattr(error, "message") else error.details()
    return str(said).partition(", channel_state=")[0].partition(", debug=")[0]


def _refused(error: Any) -> bool:
    """Whether Milvus understood, and will say the same again."""
    if getattr(error, "is_input_error", False):
        return True
    code = error.code() if callable(error.code) else error.code
    return getattr(code, "name", "") in _REFUSALS


def _close(client: Any, lite_path: str | None) -> None:
    """Milvus Lite keeps its files locked after the client is closed, until it is told."""
    client.close()
    if lite_path:
        from milvus_lite.server_manager import server_manager_instance

        server_manager_instance.release_server(lite_path)


def _lite_path(home: Path) -> str:
    return str(make(home) / "milvus.db")


def _prefix(model: Model) -> str:
    safe = re.sub(r"\W", "_", f"{model.name}_{model.version}")
    regions = model.regions.replace("+", "_")
    return f"ris_{safe}_{model.weights_sha256[:12]}_{regions}_{_LAYOUT}_"
