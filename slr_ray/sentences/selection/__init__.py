"""Choosing the sentences that get pseudo-labels, one rule a file."""
