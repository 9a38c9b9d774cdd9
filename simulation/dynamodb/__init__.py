"""DynamoDB in memory, as far as our stores ask of it, and strict where AWS is."""

from simulation.dynamodb.client import MemoryDynamoDB

__all__ = ["MemoryDynamoDB"]
