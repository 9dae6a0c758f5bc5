"""StyleGAN2 (Karras et al. 2020): generator and discriminator."""
