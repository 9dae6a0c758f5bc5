"""The error of everything about faces."""


class FaceError(ValueError):
    """Landmarks, an alignment, a crop or a file of a detector that cannot be used."""
