"""Batched, mask-aware augmentation of poses."""
