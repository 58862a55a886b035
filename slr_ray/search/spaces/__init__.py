"""Search spaces: the file, what it says, and the pool where it names none."""
