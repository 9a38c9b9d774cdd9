"""A cloud in small for the real delivery code, in virtual time: store, stream, queues, functions' environments and what
partners answer.
"""
