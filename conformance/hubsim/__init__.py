"""Simulated hubs that buy from a supplier, and the account of what it did meanwhile."""
