"""Archives as hostile input: bytes in, members out, nothing unpacked to disk."""
