"""What must hold of the game summaries whatever season they are made from, as questions that return the rows that break
them.
"""
