"""`python -m ultracurate`."""

from ultracurate.cli import main

main()
