"""`streamrec demo`: the whole program in the first minute, on one machine."""
