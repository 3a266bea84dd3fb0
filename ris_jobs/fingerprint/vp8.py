"""How coarse a lossy WebP is: the quantiser in the header of its key frame (RFC 6386, 9.6)."""

from __future__ import annotations

__all__ = ["quantiser"]

_SEGMENTS, _DELTAS = 4, 8
_HEADER = 10


def quantiser(frame: bytes) -> int | None:
    """The index (0–127) into VP8's table of luma steps, the mean over segments; None where the
    bytes are no key frame. ``frame`` is the content of a ``VP8 `` chunk, or its beginning."""
    if len(frame) < _HEADER + 2 or frame[0] & 1 or frame[3:6] != b"\x9d\x01\x2a":
        return None
    bits = _Bits(frame[_HEADER : _HEADER + 128])
    bits.number(2)  # colour space, clamping
    absolute, segments = _segments(bits)
    bits.number(1 + 6 + 3)  # the loop filter's kind, level and sharpness
    if bits.number(1) and bits.number(1):
        for _ in range(_DELTAS):
            bits.optional(6)
    bits.number(2)  # partitions
    base = bits.number(7)
    levels = segments if absolute else [base + change for change in segments]
    return round(sum(min(max(level, 0), 127) for level in levels) / len(levels))


def _segments(bits: _Bits) -> tuple[bool, list[int]]:
    """Whether the quantisers of the segments stand for themselves, and these, else changes."""
    if not bits.number(1):
        return False, [0]
    has_map, has_data = bits.number(1), bits.number(1)
    absolute, found = False, [0]
    if has_data:
        absolute = bool(bits.number(1))
        found = [bits.optional(7) for _ in range(_SEGMENTS)]
        for _ in range(_SEGMENTS):
            bits.optional(6)
    if has_map:
        for _ in range(_SEGMENTS - 1):
            if bits.number(1):
                bits.number(8)
    return absolute, found


class _Bits:
    """The boolean decoder of RFC 6386, section 7, for bits that are as likely 0 as 1."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 2
        self._value = int.from_bytes(data[:2], "big")
        self._range, self._shifted = 255, 0

    def number(self, bits: int) -> int:
        value = 0
        for _ in range(bits):
            value = 2 * value + self._bit()
        return value

    def optional(self, bits: int) -> int:
        """A signed number behind a flag; 0 where the flag is not set."""
        if not self._bit():
            return 0
        value = self.number(bits)
        return -value if self._bit() else value

    def _bit(self) -> int:
        split = 1 + ((self._range - 1) * 128 >> 8)
        bit = int(self._value >= split << 8)
        self._value -= (split << 8) * bit
        self._range = self._range - split if bit else split
        while self._range < 128:
            self._shift()
        return bit

    def _shift(self) -> None:
        self._value, self._range = self._value << 1, self._range << 1
        self._shifted += 1
        if self._shifted == 8:
            self._shifted = 0
            self._value |= self._data[self._at] if self._at < len(self._data) else 0
            self._at += 1
