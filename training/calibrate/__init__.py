"""How the probabilities of matches are fitted and measured: see ``__main__``.

pairs (a collection, and what a scan finds in it) → fit (the coefficients) → measure (how well they
do on other photos).
"""
