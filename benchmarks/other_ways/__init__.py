"""Plainer ways of doing the same, which benchmarks measure ours against."""
