"""What is said when a network cannot be trained."""


class ConfigError(ValueError):
    """A configuration that does not exist, cannot be read or makes no sense."""


class DataError(ValueError):
    """A folder without usable pictures."""


class TrainingError(ValueError):
    """A run that cannot go on."""
