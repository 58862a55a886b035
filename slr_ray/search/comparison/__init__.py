"""The final comparison: its arms, run on Ray, and folds made one record."""
