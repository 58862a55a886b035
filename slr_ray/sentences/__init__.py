"""Gloss sequences of sentences: CTC, decoding, alignment, dense labels, scores. Pure functions."""
