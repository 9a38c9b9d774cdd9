"""Suppliers to try the checks on: a right one for each hub, right ones that answer oddly, and wrong ones with one small fault each."""
