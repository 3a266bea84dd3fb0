"""Which came first: families of copies with a known source, scanned over several nights.

A family is *decidable* when its source is among its files: everything else was made from it, by
chains of edits (:mod:`benchmarks.provenance.chains`). It is *undecidable* when the source is absent
and nothing tells its nearest copies apart, or when two files hold the same pixels or their mirror
image without loss, of whatever kind it is
(:mod:`benchmarks.provenance.kinds` lists all kinds). Pictures pasted into others are scanned too,
and belong to no family.

A verdict is right when the family that holds the source names it. Of an undecidable family the
verdict of whichever family holds the most of its files counts, and must be `undetermined`.
"""
