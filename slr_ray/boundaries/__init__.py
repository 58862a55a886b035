"""Which frames carry no sign: Algorithm 1, a search, an estimate."""
