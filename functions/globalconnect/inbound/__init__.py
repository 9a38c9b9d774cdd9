"""SMS coming in: what gateways deliver, read by their providers, and whose each SMS is."""
