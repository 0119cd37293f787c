"""What a model sees of a reader and an article, in training and in serving."""
