"""Is a deployed stack right? `make check-deployment` sells and pushes through its URL and compares with what is expected.

It knows the product by its contract alone and imports nothing of `functions/`.
"""
