"""What is seen of a run: the screen, curves, health figures, alerts, experiment trackers."""
