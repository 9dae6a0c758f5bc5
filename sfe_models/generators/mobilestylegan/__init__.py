"""MobileStyleGAN (Belousov 2021): a small generator distilled from StyleGAN2, with the same W space."""
