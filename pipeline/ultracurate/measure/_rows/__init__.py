"""A pipeline that does nothing to rows of realistic width, so that only the engine's own work is left to measure."""
