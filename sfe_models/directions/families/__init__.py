"""Kinds of directions: each file holds one family, and how its published files are read."""
