"""Pushes in virtual time, in one thread at a time: what tests/faults/test_interleavings.py is made of."""
