"""What every stage shares: config, chat templates, artifacts, seeds, console, generation."""
