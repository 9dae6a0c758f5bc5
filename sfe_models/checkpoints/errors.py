"""The one error that everything which reads checkpoints raises."""


class CheckpointError(ValueError):
    """Say what happened, in which file, what was expected there and what to do next."""
