"""Tickets in, clean and split chat datasets out."""
