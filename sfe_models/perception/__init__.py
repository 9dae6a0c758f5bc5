"""How alike two pictures are: perceptual distances and identity networks, for training and evaluation."""
