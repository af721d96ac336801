"""MangaAssist, the sample company: tickets and a knowledge base made from a seed."""
