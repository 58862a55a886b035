"""How a search draws the settings of its next trial: one file each, told apart by `kind`."""
