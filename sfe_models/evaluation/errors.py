"""What is said when an evaluation cannot be made."""


class EvaluationError(ValueError):
    """Settings, tables or earlier results that do not fit together."""
