"""Records on which processing itself fails: how they are found, and how many may be set aside."""
