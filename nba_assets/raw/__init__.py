"""The raw data contract: what each raw table holds, where it lands, how it is ingested, and a simulated league that
fills it.
"""
