"""The frozen benchmark: which bytes the version's figures belong to.

A change of the texts, the generator or the defaults changes the files, and figures measured on the one cannot
be compared with figures on the other. Who changes them on purpose raises VERSION, sets the hash, and measures
the tables in docs/sample_company.md again.
"""

VERSION = "1"
CONTENT_HASH = "c13274af949e031d71d3092be11a11ec0c08ecc0b052b29a8c6e3129ce4b7123"
"""`content_hash` in the manifest of `configs/sample.yaml`."""


def describe(content_hash: str) -> tuple[str, str]:
    """The benchmark that data with this hash are, and why."""
    if content_hash == CONTENT_HASH:
        return f"MangaAssist {VERSION}", "the frozen data: figures can be compared"
    return (
        "none",
        f"not the frozen data of configs/sample.yaml: compare no figures with MangaAssist {VERSION}",
    )
