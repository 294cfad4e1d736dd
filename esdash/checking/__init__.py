"""Tries a domain for its author: what its functions promise, on entries made from its models and on real ones."""
