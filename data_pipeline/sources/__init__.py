"""From a row of each format to a conversation."""
