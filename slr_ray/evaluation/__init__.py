"""Metrics and statistics over seeds."""
