"""Command line: `python -m sfe_models`."""

from .main import main

__all__ = ["main"]
