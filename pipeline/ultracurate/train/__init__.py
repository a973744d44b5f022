"""Scripts that fit the small models this package ships; run by hand, never by the pipeline."""
