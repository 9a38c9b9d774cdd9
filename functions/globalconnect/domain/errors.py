"""What can go wrong, typed by what the caller should do. `globalconnect.runtime.http` maps them to HTTP in one table."""


class GlobalConnectError(Exception):
    """Base of every error this product raises on purpose. Its text is safe to show to the caller."""


class InvalidInput(GlobalConnectError):
    """The caller must change a field.

    Takes the field's name as the caller wrote it, and what was expected of it, never the offending value.
    """

    def __init__(self, field: str, expected: str) -> None:
        super().__init__(f"{field}: {expected}")
        self.field = field
        self.expected = expected


class InvalidKey(GlobalConnectError):
    """The caller must present a key (or signature) that is valid. Says no more than that (contract 1)."""

    def __init__(self) -> None:
        super().__init__("Invalid key")


class InvalidSignature(GlobalConnectError):
    """The gateway must sign its delivery with the secret of a source we know (contract 4)."""

    def __init__(self) -> None:
        super().__init__("Invalid signature")


class NotSignedIn(GlobalConnectError):
    """The caller must sign in as staff (contract 5); the API's authorizer says the same."""

    def __init__(self) -> None:
        super().__init__("Sign in: a valid staff token is needed in Authorization")


class ServiceNotAllowed(GlobalConnectError):
    """The key's own list does not hold the service (contract 1, 403)."""

    def __init__(self) -> None:
        super().__init__("service: not allowed for this key")


class RoleNeeded(GlobalConnectError):
    """The person's role does not let them do this (contract 5, 403). Takes the least role that does, None for any."""

    def __init__(self, role: str | None) -> None:
        super().__init__(f"This needs the role {role}" if role else "You have no role here yet: ask an owner for one")


class TotpNeeded(GlobalConnectError):
    """The person must set up a second factor before anything else (contract 5, 403)."""

    def __init__(self) -> None:
        super().__init__("TOTP needed: set up a second factor under Your account, then go on")


class NotFound(GlobalConnectError):
    """There is no such thing, or it is somebody else's: the two are indistinguishable."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} not found")


def existing[T](value: T | None, what: str) -> T:
    """Return what was looked for. Raises NotFound when it is None."""
    if value is None:
        raise NotFound(what)
    return value


class TooLarge(GlobalConnectError):
    """The caller must send less at once."""


class Conflict(GlobalConnectError):
    """Somebody changed the same thing meanwhile; the caller should read it again and decide."""


class Busy(GlobalConnectError):
    """Too many are changing the same thing right now; the caller should try the same call again."""

    def __init__(self) -> None:
        super().__init__("Temporarily busy; try again")


class MailNotSent(GlobalConnectError):
    """Cognito sends no mail now, to anybody or to this address; the caller should hand the password over on their own."""

    def __init__(self) -> None:
        super().__init__("No mail could be sent; ask with delivery screen, and hand the password over yourself")


class Unavailable(GlobalConnectError):
    """AWS did not do it, or did not say so; the caller should try again.

    Takes AWS's name for what failed. It is for the log: the caller learns no more than that it is on our side.
    """

    def __init__(self, reason: str) -> None:
        super().__init__("Temporary failure on our side; try again")
        self.reason = reason
