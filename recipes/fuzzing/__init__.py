"""Damaged and hostile files for every entry of the package: mutations, targets, attempts."""
