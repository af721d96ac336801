"""What changed from one dataset to the next."""
