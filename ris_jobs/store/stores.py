"""The stores a job works on, opened together and closed together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from ris_jobs.errors import VectorsUnavailable
from ris_jobs.settings import Settings
from ris_jobs.store import descriptors, runs
from ris_jobs.store.fetched import Fetched, open_fetched
from ris_jobs.store.postgres import open_engine
from ris_jobs.store.previews import Previews, open_previews
from ris_jobs.store.queries import query
from ris_jobs.store.runs import Model
from ris_jobs.store.vectors import Vectors, open_vectors


@dataclass(frozen=True, slots=True)
class Stores:
    """PostgreSQL, previews, fetched bytes, and the Milvus collection of one model."""

    engine: Engine
    previews: Previews
    fetched: Fetched
    vectors: Vectors
    model: Model
    model_id: int

    def beside(self, model: Model) -> Stores:
        """The same for another model, open as long as these are."""
        opened = partial(self.vectors.beside, model)
        return _stores(self.engine, self.previews, self.fetched, model, opened)


@contextmanager
def open_stores(settings: Settings, model: Model) -> Iterator[Stores]:
    """Raises a subclass of :class:`ris_jobs.errors.Unavailable` at once when a part is missing.

    A collection that is not the one PostgreSQL knows (lost, made anew, of another database) holds
    nothing we could rely on: it is emptied, and all is indexed again before the next match.
    """
    with open_engine(settings) as engine, stores_on(engine, settings, model) as stores:
        yield stores


@contextmanager
def stores_on(engine: Engine, settings: Settings, model: Model) -> Iterator[Stores]:
    """The same, on an engine that is open already."""
    with _alone(engine, settings), ExitStack() as stack:

        def vectors() -> Vectors:
            return stack.enter_context(open_vectors(settings, model))

        previews, fetched = open_previews(settings), open_fetched(settings)
        yield _stores(engine, previews, fetched, model, vectors)


def _stores(
    engine: Engine,
    previews: Previews,
    fetched: Fetched,
    model: Model,
    open_collection: Callable[[], Vectors],
) -> Stores:
    with engine.begin() as db:
        # Two processes that open it at once must not make a collection each.
        runs.lock_collections(db)
        vectors = open_collection()
        model_id = runs.register_model(db, model)
        known = runs.collection(db, model_id)
        if known != vectors.collection:
            if known is not None:
                vectors.drop(known)
            if vectors.count():
                vectors.recreate()
            descriptors.forget_index(db, model_id)
            runs.set_collection(db, model_id, vectors.collection)
    return Stores(engine, previews, fetched, vectors, model, model_id)


@contextmanager
def _alone(engine: Engine, settings: Settings) -> Iterator[None]:
    """Milvus Lite serves one process. Two of them on one database would each hold half of the
    images, and matches between the halves would be missed."""
    if settings.milvus_uri is not None:
        yield
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        if not db.scalar(query("runs.lock_lite")):
            problem = (
                "another ris process is at work on this database with a Milvus Lite of its own"
            )
            fix = "Wait for it, or let both use one Milvus server: set RIS_MILVUS_URI."
            raise VectorsUnavailable("RIS_HOME", problem, fix)
        try:
            yield
        finally:
            # A closed connection frees it too, but only once the server has noticed.
            with suppress(DBAPIError):
                db.execute(query("runs.unlock_lite"))
