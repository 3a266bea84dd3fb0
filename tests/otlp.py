"""A receiver of OTLP over HTTP on loopback, which keeps the metrics that it was sent."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)

Series = dict[tuple[tuple[str, str], ...], Any]


class Receiver:
    """Metrics by name, the first and the latest point of each series by its attributes."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.metrics: dict[str, Any] = {}
        self.first: dict[str, Series] = {}
        self.points: dict[str, Series] = {}
        self.resources: set[tuple[tuple[str, str], ...]] = set()

    def take(self, request: ExportMetricsServiceRequest) -> None:
        for resource in request.resource_metrics:
            self.resources.add(_attributes(resource.resource.attributes))
            for metric in (m for scope in resource.scope_metrics for m in scope.metrics):
                self.metrics[metric.name] = metric
                points = getattr(metric, metric.WhichOneof("data")).data_points
                sent = {_attributes(p.attributes): p for p in points}
                self.points.setdefault(metric.name, {}).update(sent)
                self.first[metric.name] = sent | self.first.get(metric.name, {})

    def value(self, name: str, **by: str) -> Any:
        """Of a counter or gauge; a histogram's count."""
        return _value(self.points[name][tuple(sorted(by.items()))])

    def began(self, name: str) -> set[Any]:
        """What its series were when they were sent for the first time."""
        return {_value(point) for point in self.first[name].values()}

    def by(self, name: str, attribute: str) -> set[str]:
        return {value for key in self.points.get(name, {}) for n, value in key if n == attribute}


def _value(point: Any) -> Any:
    if hasattr(point, "bucket_counts"):
        return point.count
    return getattr(point, point.WhichOneof("value"))


def _attributes(attributes: Any) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((a.key, a.value.string_value) for a in attributes))


@contextmanager
def receiving() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                data = gzip.decompress(data)
            receiver.take(ExportMetricsServiceRequest.FromString(data))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(ExportMetricsServiceResponse().SerializeToString())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
