"""Which trials end before their last round: one file each, told apart by `kind`."""
