"""The papers' algorithms, one file a method."""
