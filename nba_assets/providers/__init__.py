"""Providers of raw data: each maps what it really delivers onto the raw tables, and one writer lands the rows of all of
them.

A provider is a pure mapping (payload or file -> rows of the raw contract) and a thin source around it that yields
`delivery.Delivery`. What every provider needs is written once: who plays whom and when (`games`), who a person id is
(`people`), one identity per person (`identities`), files (`landing_writer`).
"""
