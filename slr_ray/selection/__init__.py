"""Choosing pseudo-labels: calibrate, refine, reject, select, weight. Pure functions on arrays."""
