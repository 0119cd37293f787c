"""To try, break and measure the product; nothing of the product imports this."""
