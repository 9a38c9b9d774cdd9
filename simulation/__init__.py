"""Pretend clouds and pretend partners, for the tests and the benchmark alike; neither imports the other."""
