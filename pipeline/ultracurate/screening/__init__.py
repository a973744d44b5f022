"""Rules that judge what a search found: the same thing twice, another subject, no pictures, no permission."""
