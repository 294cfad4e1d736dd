"""The built-in domain: a shop."""
