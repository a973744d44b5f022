"""Parts of `decoding.arrays` and `decoding.volumes`."""
