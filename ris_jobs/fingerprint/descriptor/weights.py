"""Weights as bytes that were checked: what is loaded is what was hashed."""

from __future__ import annotations

import hashlib
import http.client
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO

from ris_jobs.errors import ModelUnavailable, WeightsMismatch
from ris_jobs.fingerprint.descriptor.registry import MODELS, ModelSpec

_TIMEOUT_S = 10.0
_CHUNK = 1 << 20
_LIMIT = 1 << 30


def read(spec: ModelSpec, weights_dir: Path | None) -> bytes:
    """The weights file of `spec`: from the package, from `weights_dir`, or fetched into it."""
    path = _find(spec, weights_dir)
    try:
        content = path.read_bytes()
    except OSError as error:
        problem = f"{path} cannot be read ({error.strerror})"
        raise ModelUnavailable(spec.name, problem, "Make it readable.") from error
    actual = hashlib.sha256(content).hexdigest()
    if actual != spec.sha256:
        raise WeightsMismatch(path, spec.sha256, actual)
    return content


def _find(spec: ModelSpec, weights_dir: Path | None) -> Path:
    folders = [MODELS] if weights_dir is None else [MODELS, weights_dir]
    for path in (folder / spec.file for folder in folders):
        if path.is_file():
            return path
    if spec.url is None:
        problem = f"{spec.file} is missing from the installed package"
        raise ModelUnavailable(spec.name, problem, "Install ris-jobs again.")
    if weights_dir is None:
        raise ModelUnavailable(spec.name, "its weights are not here", _fix(spec, None))
    return _fetch(spec, spec.url, weights_dir / spec.file)


def _fetch(spec: ModelSpec, url: str, path: Path) -> Path:
    """Downloads beside `path`, checks, renames: a file of that name is always the right one."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            actual = _download(url, partial, spec.name)
            if actual == spec.sha256:
                partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        problem = f"its weights are not in {path.parent} and {url} cannot be fetched ({reason})"
        raise ModelUnavailable(spec.name, problem, _fix(spec, path.parent)) from error
    if actual != spec.sha256:
        problem = f"{url} gave a file with sha256 {actual}, expected {spec.sha256}"
        raise ModelUnavailable(spec.name, problem, _fix(spec, path.parent))
    return path


def _fix(spec: ModelSpec, folder: Path | None) -> str:
    where = folder or "the folder RIS_WEIGHTS_DIR"
    return f"Put {spec.file} from {spec.url} into {where}, or use RIS_MODEL=builtin."


class _HttpsOnly(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        _require_https(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _require_https(url: str) -> None:
    if not url.startswith("https://"):
        raise urllib.error.URLError(f"{url} is not https")


def _download(url: str, target: Path, name: str) -> str:
    """Returns the sha256 of what was written to `target`."""
    _require_https(url)
    opener = urllib.request.build_opener(_HttpsOnly)
    digest, done = hashlib.sha256(), 0
    with opener.open(url, timeout=_TIMEOUT_S) as response, target.open("wb") as file:
        total = int(response.headers.get("Content-Length") or 0)
        while chunk := response.read(_CHUNK):
            file.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            _show(name, done, total)
            if done > _LIMIT:
                raise urllib.error.URLError(f"larger than {_LIMIT >> 20} MB")
    return digest.hexdigest()


def _show(name: str, done: int, total: int) -> None:
    """One line that is drawn again and again on a terminal; first and last elsewhere."""
    last = done == total
    if sys.stderr.isatty() or last or done <= _CHUNK:
        of = f" of {total / 1e6:.0f}" if total else ""
        end = "\r" if sys.stderr.isatty() and not last else "\n"
        print(f"fetching {name} weights: {done / 1e6:.0f}{of} MB", end=end, file=sys.stderr)
