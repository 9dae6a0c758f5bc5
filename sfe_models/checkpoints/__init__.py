"""Checkpoints: recognised by content, read safely, converted to one memory-mapped file."""
