"""The unlabelled clips beside the labelled ones in each gradient step."""
