"""The acceptance tests of hubs, for any supplier of phone numbers; the standard library alone is needed."""
