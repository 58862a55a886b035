"""What is in a corpus, for a person to look at."""
