"""Choosing pseudo-labels: calibrate, refine, select, weight. Pure functions on arrays."""
