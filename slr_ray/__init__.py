"""slr_ray: isolated sign recognition from few labels, searched in parallel."""

__version__ = "0.1.0"
