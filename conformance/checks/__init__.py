"""The checks that hubs make of a supplier; which of them a hub makes, and on what ground, is in hubs.py."""
