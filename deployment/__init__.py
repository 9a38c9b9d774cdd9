"""Brings GlobalConnect to AWS, lets people in, and takes it away again: `make deploy`, `make staff`, `make remove`.

Run by the SAM command line's own Python, `.tools/sam/bin/python -m deployment`, so it needs no development environment.
"""
