"""Whose voice and face a command is about to use, and whether they agreed to it.

People are found and known again here, with what the rooms of speech and face see and hear; whether a record
covers them is decided in `trust`.
"""
