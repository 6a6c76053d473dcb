"""Benchmarks of the engine against limits and peers, run by hand: `python -m bench --help`."""
