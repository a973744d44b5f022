"""Parts of `decoding.annotations`."""
