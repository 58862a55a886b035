"""One training loop, its checkpoints and stages, and the Ray Train driver."""
