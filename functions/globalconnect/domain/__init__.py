"""The rules of the trade, pure: no AWS, no environment, no clock and no rng of their own."""
