"""What is in a dataset, measured: `audit.json` for machines, `audit.html` for people."""
