"""Synthetic ultrasound with exact truth: textures, sectors, device screens, overlays, tiny datasets, a local host."""
