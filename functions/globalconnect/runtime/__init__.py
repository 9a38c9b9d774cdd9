"""What every function runs on: HTTP, settings, clients of AWS, logs, metrics, start-up."""
