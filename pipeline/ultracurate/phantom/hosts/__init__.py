"""Invented data hosts on loopback: each speaks the wire format of a real one, over invented records."""
