"""What the clips of a round are trained to: drawn into batches, weighed, compared."""
