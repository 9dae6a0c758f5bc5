"""Where faces are: detectors, the choice among faces, people over time."""
