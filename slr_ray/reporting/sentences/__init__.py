"""What recognisers of sentences get right and wrong, for pages, boards and the terminal."""
