"""Sentences: what their steps are trained to, and what a model says of them."""
