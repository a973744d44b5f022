"""Parts of `decoding.dicom`."""
