"""Editing directions: base, library, recipes, layers, files; `families` and `finding` are wings of their own."""
