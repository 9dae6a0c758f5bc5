"""The photographic domain: what the package brings of it, and how it becomes a model."""
