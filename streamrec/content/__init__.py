"""Article text to language, keywords, category, vector and story: all that is known of an article before any reader."""
