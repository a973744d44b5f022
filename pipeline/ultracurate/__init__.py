"""Ultrasound datasets in, trainable shards and an honest account out."""


def __getattr__(name: str) -> str:
    """`__version__`, looked up when it is first asked for: reading the package's metadata takes time at start-up."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("ultracurate")
    except PackageNotFoundError:  # a source tree that was never installed
        return "0.0.0"
