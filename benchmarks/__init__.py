"""Measurements that the README quotes; each runs with `python -m benchmarks.NAME`."""
