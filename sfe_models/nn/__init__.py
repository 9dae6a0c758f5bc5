"""Building blocks that are not particular to one network: convolution, its Winograd form, folding."""
