"""The demo domain: a renderer of portraits, and the model trained on them."""
