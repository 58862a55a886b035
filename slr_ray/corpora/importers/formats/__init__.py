"""One file a format, with its parts beside it."""
