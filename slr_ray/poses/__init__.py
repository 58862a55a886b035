"""The 54-joint skeleton, pose sequences, normalisation and the shard format."""
