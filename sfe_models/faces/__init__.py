"""Faces in photos: where they are, how they come into an aligned crop, and how an edited crop goes back."""
