"""DynamoDB in, domain out: one module per table, and one for the changes that span several."""
