"""The steps of the pipeline, one a file: readers, filters that say why, formatters, writers."""
