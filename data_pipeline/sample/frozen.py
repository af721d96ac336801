"""The frozen benchmark: which bytes the version's figures belong to.

A change of the texts, the generator or the defaults changes the files, and figures measured on the one cannot
be compared with figures on the other. Who changes them on purpose raises VERSION, sets the hash, and measures
the tables in docs/sample_company.md again.
"""

VERSION = "1"
CONTENT_HASH = "eec7c84bf4f8d620cd9b28f8edc95c6a88a97dc752ea27092cd47139f86eb773"
"""`content_hash` in the manifest of `configs/sample.yaml`."""


def describe(content_hash: str) -> tuple[str, str]:
    """The benchmark that data with this hash are, and why."""
    if content_hash == CONTENT_HASH:
        return f"MangaAssist {VERSION}", "the frozen data: figures can be compared"
    return (
        "none",
        f"not the frozen data of configs/sample.yaml: compare no figures with MangaAssist {VERSION}",
    )
