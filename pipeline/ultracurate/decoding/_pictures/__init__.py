"""Parts of `decoding.pictures` and `decoding.metadata`."""
