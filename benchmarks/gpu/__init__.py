"""Everything of the product that needs a GPU, checked and measured within minutes."""
