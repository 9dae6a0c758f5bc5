"""Measuring a model: the paper's metrics, edits against the true picture, ablations."""
