"""What cannot be done with a film."""


class FilmError(ValueError):
    """A film, or a wish for one, that cannot be worked with."""
