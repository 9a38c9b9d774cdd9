"""The rules of the trade, pure: no AWS, no environment, no clock and no dice of their own."""
