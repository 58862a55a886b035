"""Poses out of videos: decoding, MediaPipe's landmarkers, and whose hand is whose.

The only place that imports MediaPipe and PyAV. It knows no Ray: `slr_ray.videos.pipeline`
spreads `Extractor` over a cluster.
"""
