"""What the product costs at list prices, from the calls its own code makes: parts of bench/costs.py."""
