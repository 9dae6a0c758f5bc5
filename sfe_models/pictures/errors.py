"""The error of pictures in files."""


class ImageError(ValueError):
    """A picture file that cannot be read, written or used."""
