"""What selections of pseudo-labels did, for reading only."""
