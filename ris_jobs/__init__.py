"""ris-jobs: have we seen this picture before, in what form, and where did it first come from?"""

__version__ = "0.1.0"
