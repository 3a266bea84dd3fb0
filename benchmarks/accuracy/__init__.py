"""How well copies are found: one suite of pictures, any number of systems, one table.

The suite is built from any folder of photos (:mod:`benchmarks.accuracy.suite`): sources, copies
of them by named edits at several strengths (:mod:`benchmarks.accuracy.edits`), distractors, copies
of photos that are not there, and pictures that look alike but are no copies
(:mod:`benchmarks.accuracy.negatives`).

Two tracks, after the Image Similarity Challenge (Douze et al., arXiv 2106.09672):

- descriptor: copies, copied distractors and negatives are queries; sources, distractors and
  negatives are references. Right pairs are (copy, its source), all others are wrong. Two
  negatives are one wrong pair, not two, as a match is one row; no file is compared with itself.
  µAP pools all queries.
- candidates: the whole collection at once, as in a scan. Every file searches for its k nearest
  others; a pair (copy, source) is a candidate when either finds the other.

Both are reported by edit, by family, over all, and apart for edits never used in training.
Intervals are bootstrapped over source photos: the copies of one photo are drawn together.
"""
