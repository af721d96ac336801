"""What a finished run leaves: the adapter folder, its model card, its version in the registry."""
