"""How rounds choose pseudo-labels: predict the pool, calibrate, choose, look at what was chosen."""
