"""What trials are in a report: beside each other, and parameter by parameter."""
