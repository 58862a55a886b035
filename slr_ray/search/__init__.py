"""Search spaces, the searcher, trials and the tuner."""
