"""Pictures: files, and what is drawn from them (heat maps, overlays, sheets)."""
