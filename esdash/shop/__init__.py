"""The shop: its events, the rules of its fold, and the state they give.

Values and functions only. Nothing here reads a clock, a socket, a file or another part of esdash,
so the same entries give the same state on every machine.
"""
