"""Offline evaluation: systems and a test split in, reports with intervals out."""
