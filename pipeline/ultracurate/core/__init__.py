"""The engine: stages, parts, fingerprints, resume. It knows nothing of ultrasound, hosts or Dask."""
