"""StyleFeatureEditor (CVPR 2024) as a plain PyTorch library: invert a portrait, edit it, keep its details."""

__version__ = "0.2.0"
