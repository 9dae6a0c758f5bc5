"""Where an aligned crop lies in its photo, and how it is cut out."""
