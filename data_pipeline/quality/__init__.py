"""Level 2: how good a support conversation is, in components that are each kept, and what makes it poison.

scorer = Scorer(config, passages, encoder).judged_by(judge)
scores = scorer.score(dialogues)          # components, score, flags of each
reasons(scores[0], config)                # None, or why a filter would leave it out
"""
