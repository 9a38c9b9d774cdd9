"""What stops a deployment, in words for the person who typed it."""

from __future__ import annotations

from local.failure import LocalError


class DeploymentError(LocalError):
    """The command can't go on, or must not: ``what`` says why, ``how`` what to do about it."""
