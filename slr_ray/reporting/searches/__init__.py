"""Several searches on one page: what each took and reached, beside the others."""
