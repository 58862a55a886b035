"""What rounds of pseudo-labels may be set to."""
