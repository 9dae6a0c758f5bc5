"""All reading of pickles: torch's, networks, arrays, TorchScript. Nothing that a file contains is ever run."""
