"""Preference pairs: gathered and checked. Training on them (DPO, ORPO) comes next."""
