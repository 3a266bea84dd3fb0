"""Nights of a folder that grows, run by a real Airflow: ``python -m benchmarks.nights``."""
