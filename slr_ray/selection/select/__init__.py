"""Rules that select pseudo-labels, one file each."""
