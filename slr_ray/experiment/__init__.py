"""One experiment: its configuration, presets, and what it opens."""
