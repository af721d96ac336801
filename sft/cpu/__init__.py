"""What makes training fast where there is no GPU: the same mathematics in fewer and cheaper operations."""
