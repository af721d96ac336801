"""Audits of frames, with counts that add up."""

from typing import Any

import pandas as pd

from data_pipeline.audit.audit import audit
from data_pipeline.audit.config import AuditConfig
from data_pipeline.audit.model import Audit, Share


def measure(
    data: pd.DataFrame,
    defects: dict[str, int] | None = None,
    config: AuditConfig | None = None,
    **settings: Any,
) -> Audit:
    defects = defects or {}
    counts = {"rows_read": len(data) + sum(defects.values()), "defects": defects}
    return audit(data, counts, config or AuditConfig(), dataset="shop", version="v1", **settings)


def share(count: int, of: int) -> Share:
    return Share(count=count, of=of, value=count / of)
