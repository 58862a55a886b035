"""Streams of the parts of a body over time, and what is told of sentences from them."""
