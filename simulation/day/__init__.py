"""Days of the whole product in virtual time: the real handlers on DynamoDB in memory, hubs that buy, gateways that deliver."""
