"""Outgoing pushes: a guarded HTTP attempt and the delivery routine around it."""
