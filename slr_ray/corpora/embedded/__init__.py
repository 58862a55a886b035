"""The embedded corpus: made-up signers who sign, so that everything runs without data."""
