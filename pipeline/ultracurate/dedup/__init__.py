"""Duplicates as a graph over columns of hashes; never opens an image."""
