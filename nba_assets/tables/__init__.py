"""What a table is, and everything that follows from its declaration: DDL, schemas, checks, row hashes, the data
dictionary.
"""
