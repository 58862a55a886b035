"""Videos: which there are, and their way to pose shards."""
