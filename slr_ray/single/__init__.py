"""One training or pre-training: in this process without Ray, or on workers."""
