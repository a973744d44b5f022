"""Pictures in, arrays out: decoding, overlay masks, inpainting, hashes and quality; no tables, no settings."""
