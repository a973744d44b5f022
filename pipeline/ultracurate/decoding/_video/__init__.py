"""Parts of `decoding.video`."""
