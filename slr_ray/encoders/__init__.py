"""Pre-trained encoders measured: the protocols of SSL-SLR, objectives side by side."""
