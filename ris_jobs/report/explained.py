"""An explanation for a terminal, as ``rich`` renderables; print with ``soft_wrap=True``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ris_jobs.fingerprint import Manifest
from ris_jobs.match.derivation import Derivation
from ris_jobs.report.explanation import Explanation, Judged, headline, reasons
from ris_jobs.report.placed import derived_inside
from ris_jobs.report.text import ORIENTATIONS, chance, moment, percent, scale, visible
from ris_jobs.report.views import PairView, Standing

__all__ = ["explained"]

_WIDTH = 12


def explained(said: Explanation) -> RenderableType:
    """The outcome and its reasons, then all that they follow from."""
    blocks: list[RenderableType] = [Text(headline(said), "bold")]
    blocks += [Text(visible(reason)) for reason in reasons(said)]
    blocks += [Text(""), *_images(said)]
    lines = [*_of_match(said.pair, said.standing)] if said.pair else []
    lines += [*_of_judged(said.judged)] if said.judged and not said.pair else []
    if lines:
        blocks += [Text(""), *(_line(name, value) for name, value in lines)]
    if said.derivation is not None:
        blocks += [Text(""), _derivation(said.derivation)]
    blocks += [Text(""), *(_line(name, value) for name, value in _versions(said))]
    return Group(*blocks)


def _images(said: Explanation) -> Iterator[RenderableType]:
    for letter, image, manifest in zip("AB", said.images, said.manifests, strict=True):
        yield _line(letter, image.uri)
        size = f"{image.width} x {image.height}, {image.format}"
        yield _line("", f"{size}, first seen {moment(image.first_seen_at)}")
        yield _line("", f"sha256 {image.sha256}")
        yield _line("", f"C2PA manifest: {_manifest(manifest)}")


_STATES = {
    "trusted": "trusted, it fits the file and its signer is known",
    "valid": "valid, it fits the file, but anybody may have signed it",
    "broken": "broken, it does not fit the file or cannot be read",
}


def _manifest(manifest: Manifest | None) -> str:
    if manifest is None:
        return "none"
    said = _STATES.get(manifest.state, manifest.state)
    return f"{said}; signed by {manifest.signer or 'nobody named'}"


def _of_match(pair: PairView, standing: Standing | None) -> Iterator[tuple[str, str]]:
    seen = pair.evidence
    yield "derived", pair.derived.uri
    yield "source", pair.source.uri
    yield "direction", _direction(pair)
    yield "also", _listed(seen.get("also"))
    yield "changes", _listed(seen.get("changes"))
    yield "scale", f"{scale(pair.scale)} of the source"
    yield "orientation", f"{pair.orientation} ({ORIENTATIONS.get(pair.orientation, '?')})"
    if pair.box is not None:
        whose = "source" if derived_inside(pair) else "derived image"
        yield "box", f"{_figures(pair.box)} of the {whose}"
    yield "suppressed", pair.suppressed or "no"
    yield from _of_standing(standing) if standing else ()
    yield "hashes", _hashes(seen.get("hashes") or {"phash": pair.hash_distance})
    yield "cosine", f"{pair.cosine:.3f}, {_parts(seen.get('nearest_parts') or {})}"
    yield "keypoints", _keypoints(seen.get("keypoints"))
    yield "pixels", _pixels(seen)
    if seen.get("inside"):
        yield "around", _around(seen["inside"])


def _of_standing(standing: Standing) -> Iterator[tuple[str, str]]:
    """Whatever has a say in it."""
    if (said := standing.decided) is not None:
        yield "  decision", f"{said.answer}, {said.who}, {moment(said.at)}: {said.why}"
    if standing.judged is not None:
        yield "  judged", standing.judged
    if standing.template_uri is not None:
        yield "  template", f"both match {standing.template_uri}"
    if standing.hub:
        yield "  hub", "what lies inside the other lies inside many that do not match one another"


def _direction(pair: PairView) -> str:
    seen = pair.evidence
    claims = [(_listed(seen.get(f"direction_{side}")), side) for side in ("for", "against")]
    return f"{seen.get('direction')} ({'; '.join(f'{side}: {said}' for said, side in claims)})"


def _of_judged(judged: Judged) -> Iterator[tuple[str, str]]:
    ruling = judged.ruling
    place = "none" if judged.rank is None else f"{judged.rank} images are nearer"
    yield "candidate", place
    yield "hashes", _hashes({f: getattr(ruling.distance, f) for f in ("phash", "dhash", "pdq")})
    parts = dict(zip("AB", judged.parts, strict=True))
    yield "cosine", f"{judged.cosine:.3f}, {_parts(parts)}"
    if ruling.alignment is None:
        yield "pixels", "not looked at"
    elif ruling.alignment.pixels is None:
        yield "pixels", "previews are gone or damaged"
    else:
        yield "pixels", _compared(asdict(ruling.alignment.pixels))


def _hashes(seen: Mapping[str, Any]) -> str:
    sizes = {"phash": 64, "dhash": 64, "pdq": 256}
    known = [f"{name} {seen[name]} of {bits}" for name, bits in sizes.items() if name in seen]
    return f"bits that differ: {', '.join(known)}"


def _parts(parts: Mapping[str, Any]) -> str:
    named = (f"{side}: {'the whole' if n == 0 else f'region {n}'}" for side, n in parts.items())
    return f"of the nearest parts ({', '.join(named)})"


def _keypoints(seen: Mapping[str, Any] | None) -> str:
    if seen is None:
        return "nothing rests on them"
    cover = ", ".join(f"{percent(v)} of the {side}" for side, v in seen["coverage"].items())
    bent = "straight" if seen["straight"] else "tilted or bent"
    parallax = f", parallax {seen['parallax']:.2f} pixels" if "parallax" in seen else ""
    return f"{seen['inliers']} of {seen['matched']} agree, {bent}{parallax}, they share {cover}"


_PIXELS = (
    *("agreement", "correlation", "textured", "support", "changed", "luma", "chroma"),
    *("luma_worst", "chroma_worst", "unmapped", "tint", "plain", "other"),
    *("apart", "drawn"),
)
_CHANGED = (("blurred", "both blurred"), ("negative", "one inverted"))


def _pixels(seen: Mapping[str, Any]) -> str:
    pixels = seen.get("pixels")
    if pixels is None:
        return f"previews {seen.get('previews', 'unknown')}"
    return _compared(pixels)


def _compared(pixels: Mapping[str, Any]) -> str:
    said = [word for name, word in _CHANGED if pixels.get(name)]
    figures = {name: pixels[name] for name in _PIXELS if pixels.get(name) is not None}
    return ", ".join([*said, _figured(figures)])


def _around(inside: Mapping[str, Any]) -> str:
    return f"the {inside['inner']} is the inner one; around it {_figured(inside['surround'])}"


def _derivation(found: Derivation) -> RenderableType:
    """Feature by feature, as it is added up."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("feature", no_wrap=True, min_width=_WIDTH)
    for name in ("value", "weight", "adds"):
        table.add_column(name, justify="right", no_wrap=True)
    for term in found.terms:
        figures = (f"{term.value:.4f}", f"{term.weight:.4f}", f"{term.contribution:+.3f}")
        table.add_row(term.feature, *figures)
    for feature, value in found.unweighted.items():
        table.add_row(Text(feature, "dim"), Text(f"{value:.4f}", "dim"), "", Text("–", "dim"))
    table.add_row("intercept", "", "", f"{found.intercept:+.3f}")
    table.add_section()
    table.add_row(Text("sum", "bold"), "", "", f"{found.score:+.3f}")
    table.add_row(Text("probability", "bold"), "", "", chance(found.probability))
    return table


def _versions(said: Explanation) -> Iterator[tuple[str, str]]:
    decided = said.versions
    if decided is None:
        return
    if said.pair is not None:
        yield "probability", f"{chance(said.pair.probability)}, {_rederived(said)}"
    yield "calibration", f"{decided.model}, version {decided.calibration}"
    run = "none, judged now" if decided.run_id is None else f"{decided.run_id}"
    yield "run", f"{run}; settings {decided.settings_hash}, code {decided.code}"


def _rederived(said: Explanation) -> str:
    if said.derivation is None or said.versions is None:
        return "which cannot be derived: its features are not those of this version"
    if said.rederived is None:
        return f"by other coefficients than those above, which are version {said.versions.at_hand}"
    if said.rederived:
        return "as the features above give it"
    return "which the features above do not give"


def _listed(names: Any) -> str:
    return ", ".join(map(str, names or ())) or "none"


def _figured(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in values.items())


def _figures(values: Any) -> str:
    return " ".join(f"{value:.3f}" for value in values)


def _line(name: str, value: str) -> Text:
    return Text.assemble((f"{name:<{_WIDTH}}", "bold"), visible(value))
