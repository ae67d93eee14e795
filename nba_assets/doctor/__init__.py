"""Checks of an installation, a module per thing that is looked at; none of them computes or publishes anything.

`commands.doctor` carries them out.
"""
