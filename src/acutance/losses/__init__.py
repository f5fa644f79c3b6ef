"""Losses, (sr, hr) to a scalar to minimise: one file each, found by `acutance.resolve`."""
