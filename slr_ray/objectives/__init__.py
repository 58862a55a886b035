"""Self-supervised losses with their heads, one file each."""
