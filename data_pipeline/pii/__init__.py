"""Personal data: found, and replaced by placeholders."""
