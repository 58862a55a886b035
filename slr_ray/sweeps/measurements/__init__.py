"""What a table may measure of a cell: a training, a frozen encoder, robustness."""
