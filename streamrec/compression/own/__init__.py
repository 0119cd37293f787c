"""Compress a torch module of one's own, over named columns of one's own rows."""
