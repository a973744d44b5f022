"""Files to arrays: pictures, videos, DICOM, volumes and arrays; bytes in, frames out."""
