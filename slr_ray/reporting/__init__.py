"""Records to tables, figures and one self-contained HTML report."""
