"""Compression of a trained model: one method a file, composed by recipe.py."""
