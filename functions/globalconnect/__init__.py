"""What the functions share: rules (domain), tables (store), outgoing pushes (push)."""

VERSION = "1.0.0"
