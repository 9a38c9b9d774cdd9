"""What the product claims of itself, measured: `make bench`."""
