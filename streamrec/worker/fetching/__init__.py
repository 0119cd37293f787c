"""What was fetched of the inputs, and how far reading has come, here and in the whole group."""
