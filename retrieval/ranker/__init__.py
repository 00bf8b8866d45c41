"""The answer-sentence ranker: its weights, and the training that made them (see README.md)."""
