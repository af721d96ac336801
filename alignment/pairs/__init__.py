"""Preference pairs: a good and a bad reply to one conversation; read from files, checked and split."""
