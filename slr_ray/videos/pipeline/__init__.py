"""Extraction of poses on Ray: the shell around `poses.extraction`."""
