"""Masks on a crop: parts of a face by its landmarks or by a parser, and soft edges."""
