"""What hostile files can do: mutated images through fetching and decoding, as a crawl has them.

``python -m benchmarks.fuzz --images 10000 --seed 0`` prints what became of them.
"""
