"""Generators by family, and what all of them offer (base.py)."""
