"""Single push attempts: whatever the far side does to them, and what they cost us."""
