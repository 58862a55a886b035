"""Self-supervised pre-training: settings, plan of batches, loop."""
