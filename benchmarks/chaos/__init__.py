"""Whether a search survives what happens to machines and storage: `python -m benchmarks.chaos`."""
