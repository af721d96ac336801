"""Level 3, diversity: of the good rows, those that show the most different things.

`tags` says of each conversation what it is about, how hard it is and how the customer feels; `topics`
finds topics for rows without a tag; `duplicates` finds rows that mean the same; `sampling` chooses;
`label_noise` suspects wrong labels. They read and write no files.
"""
