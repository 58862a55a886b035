"""Tables: named settings x a grid x draws, without a search; planned, measured, told."""
