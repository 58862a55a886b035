"""Rejection of clips whose gloss the model does not know, one file each."""
