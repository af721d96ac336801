"""Conversations that a model writes from the knowledge base, and the checks that keep some of them."""
