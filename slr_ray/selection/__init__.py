"""Pseudo-label selection rules, one file each."""
