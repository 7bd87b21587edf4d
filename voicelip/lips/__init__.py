"""Lips: mel windows, the networks from sound to motion to pixels, and compositing them into the footage."""
