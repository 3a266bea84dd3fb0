"""End to end: what `ris scan` and `ris export matches` say of a suite (:mod:`benchmarks.accuracy`).

A copy is found when its pair with its source is exported and not suppressed. As in the bench's
descriptor track, copies, copies of absent photos and negatives ask, and sources, distractors and
negatives answer: every other pair of those is wrong. Pairs of two copies are not counted.
"""
