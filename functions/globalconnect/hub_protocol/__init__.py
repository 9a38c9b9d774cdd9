"""What hubs send and get: the one place that knows their JSON. How hubs differ is data (docs/adr/0035)."""
