"""Datasets, losses and loops behind recipes/."""
