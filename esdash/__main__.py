"""`python -m esdash`."""

from esdash.cli import main

main()
