"""Ultrasound datasets in, trainable shards and an honest account out."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("ultracurate")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0.0.0"
