"""Render the portraits of the demo domain and train a small StyleFeatureEditor on them."""
