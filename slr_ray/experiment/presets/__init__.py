"""Named starting points of an experiment."""
