"""Weights of pseudo-labelled clips, one file each."""
