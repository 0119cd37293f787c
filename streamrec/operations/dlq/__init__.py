"""Dead letters as people work with them: what is set aside, why, and back to where it came from."""
