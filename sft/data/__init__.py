"""Dataset rows to training examples, and examples to batches."""
