"""``python -m ris_jobs`` is ``ris``."""

from ris_jobs.cli import main

if __name__ == "__main__":
    main(prog_name="ris")
