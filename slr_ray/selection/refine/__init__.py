"""Refinements of the pool's probabilities, one file each."""
