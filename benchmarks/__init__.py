"""Benchmarks: our code against a peer, in one run, as ratios."""
