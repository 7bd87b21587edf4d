"""Rendered heads of nobody: the demo's presenter, and training heads with known landmarks."""
