"""Search for hyper-parameters of a training config, by several workers on one database."""
