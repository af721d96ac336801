"""Level 1: whether a conversation is long enough, in a language that is asked for, and said only once."""
