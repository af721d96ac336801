"""Peak memory and time of a run on a GPU that need not be here: `--estimate`, and part of `--dry-run`."""
