"""Which network, at which input size and dimension: accuracy against speed, measured.

    python -m training.frontier --photos PHOTOS --out DIR

A few networks (:mod:`training.frontier.networks`) are trained alike from random weights and
measured at several input sizes, on copies of the validation photos (:mod:`training.splits`). The
weights that ship are measured beside them, and their vectors reduced to fewer dimensions.
"""
