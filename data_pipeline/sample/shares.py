"""How often each label stands in the labelled messages."""

INTENT_SHARES = {
    "product_discovery": 0.221,
    "recommendation": 0.180,
    "product_question": 0.152,
    "order_tracking": 0.121,
    "faq": 0.080,
    "return_request": 0.070,
    "chitchat": 0.055,
    "promotion": 0.050,
    "checkout_help": 0.041,
    "escalation": 0.030,
}
"""Shares of the intents, from the specification of the intent router."""

SENTIMENT_SHARES: dict[tuple[str, ...], float] = {
    (): 0.45,
    ("frustration",): 0.13,
    ("satisfaction",): 0.125,
    ("urgency",): 0.085,
    ("confusion",): 0.06,
    ("churn_risk",): 0.01,
    ("frustration", "urgency"): 0.035,
    ("frustration", "churn_risk"): 0.03,
    ("frustration", "confusion"): 0.02,
    ("frustration", "satisfaction"): 0.015,
    ("satisfaction", "urgency"): 0.015,
    ("confusion", "urgency"): 0.015,
    ("satisfaction", "confusion"): 0.01,
}
"""Shares of the sets of feelings; the empty one is neutral."""
