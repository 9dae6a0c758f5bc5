"""Editing directions: one module per family, and the table of the published ones."""
