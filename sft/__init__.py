"""Supervised fine-tuning: datasets and a base model in, LoRA adapters out."""
