"""The accounts of the staff at Cognito, by user name. Each call may be repeated, and raises what Cognito refuses it for."""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from globalconnect.domain.errors import Busy, Conflict, GlobalConnectError, InvalidInput, MailNotSent
from globalconnect.store.cache import Cache

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp.client import CognitoIdentityProviderClient, Exceptions
    from mypy_boto3_cognito_idp.type_defs import AdminCreateUserRequestTypeDef, AttributeTypeTypeDef

# Who was invited and has not come yet.
_INVITED = "FORCE_CHANGE_PASSWORD"
_TOTP = "SOFTWARE_TOKEN_MFA"
_TOTP_CACHE_SECONDS = 60

_NOBODY, _THERE = "UserNotFoundException", "UsernameExistsException"
# Also of who is disabled.
_NOT_ALLOWED = "NotAuthorizedException"
_NOT_TAKEN = "InvalidParameterException"
_MEANWHILE = "Somebody changed this person meanwhile; read the list again"
# What Cognito refuses, as its API reference names it, and what our caller is told; whatever is not here is a failure of
# ours. The limit is that of mails in a day, which the reference has for other operations than AdminCreateUser.
_REFUSALS: dict[str, Callable[[], GlobalConnectError]] = {
    "TooManyRequestsException": Busy,
    "ThrottlingException": Busy,
    "LimitExceededException": MailNotSent,
    "CodeDeliveryFailureException": MailNotSent,
    _NOT_TAKEN: lambda: InvalidInput("email", "expected an address that Cognito takes"),
    "UnsupportedUserStateException": lambda: Conflict(_MEANWHILE),
    _NOBODY: lambda: Conflict(_MEANWHILE),
}


class UserPool:
    """Cognito's side of the staff. The client is made when it is first needed: few requests do."""

    def __init__(
        self, client: "Callable[[], CognitoIdentityProviderClient]", pool: str, now: Callable[[], int]
    ) -> None:
        self._new_client = client
        self._pool = pool
        self._with_totp: Cache[bool] = Cache(_TOTP_CACHE_SECONDS, now)

    @cached_property
    def _client(self) -> "CognitoIdentityProviderClient":
        return self._new_client()

    def invite(self, name: str, password: str | None) -> bool:
        """Make an account, with this one-time password or one that Cognito sends by mail; again for who has not come yet.

        Returns False for who has an account of their own already, which stays as it is. Raises InvalidInput for a name
        that Cognito does not take, MailNotSent, Conflict and Busy.
        """
        by_mail: AdminCreateUserRequestTypeDef = {
            "UserPoolId": self._pool,
            "Username": name,
            "DesiredDeliveryMediums": ["EMAIL"],
        }
        silent: AdminCreateUserRequestTypeDef = {
            "UserPoolId": self._pool,
            "Username": name,
            "MessageAction": "SUPPRESS",
        }
        attributes: list[AttributeTypeTypeDef] = [
            {"Name": "email", "Value": name},
            {"Name": "email_verified", "Value": "true"},
        ]
        made = self._create({**(by_mail if password is None else silent), "UserAttributes": attributes})
        if not made and not self._is_expected(name):
            return False
        if password is not None:
            self.set_one_time_password(name, password)
        elif not made:
            self._create({**by_mail, "MessageAction": "RESEND"})
        return True

    def _create(self, request: "AdminCreateUserRequestTypeDef") -> bool:
        """Return whether there was no such account."""
        with self._asking(_THERE):
            self._client.admin_create_user(**request)
            return True
        return False

    def _is_expected(self, name: str) -> bool:
        with self._asking():
            found = self._client.admin_get_user(UserPoolId=self._pool, Username=name)
        return found["UserStatus"] == _INVITED

    def set_one_time_password(self, name: str, password: str) -> None:
        """Have a person sign in with this password once, to choose their own. Raises Conflict and Busy."""
        with self._asking():
            self._client.admin_set_user_password(
                UserPoolId=self._pool, Username=name, Password=password, Permanent=False
            )

    def disable(self, name: str) -> None:
        """End a person's sessions, and have them not sign in any more. Raises Busy."""
        self.end_sessions(name)
        with self._asking(_NOBODY):
            self._client.admin_disable_user(UserPoolId=self._pool, Username=name)

    def enable(self, name: str) -> None:
        """Have a person sign in again. Raises Busy."""
        with self._asking(_NOBODY):
            self._client.admin_enable_user(UserPoolId=self._pool, Username=name)

    def end_sessions(self, name: str) -> None:
        """Have no session of a person renew its tokens. Raises Busy."""
        # Who is disabled has none that could.
        with self._asking(_NOBODY, _NOT_ALLOWED):
            self._client.admin_user_global_sign_out(UserPoolId=self._pool, Username=name)

    def delete(self, name: str) -> bool:
        """Return whether there was an account, which is gone now. Raises Busy."""
        # A name that Cognito does not take is nobody's.
        with self._asking(_NOBODY, _NOT_TAKEN):
            self._client.admin_delete_user(UserPoolId=self._pool, Username=name)
            return True
        return False

    def has_totp(self, name: str) -> bool:
        """Return whether Cognito asks a person for a second factor; that it does is remembered for a minute. Raises Busy."""
        return bool(self._with_totp.get(name, lambda: self._asks_for_totp(name)))

    def remove_totp(self, name: str) -> None:
        """Have a person sign in without a second factor, so that they can set up another. Raises Busy."""
        self._with_totp.forget(name)
        with self._asking(_NOBODY):
            self._client.admin_set_user_mfa_preference(
                UserPoolId=self._pool,
                Username=name,
                SoftwareTokenMfaSettings={"Enabled": False, "PreferredMfa": False},
            )

    def _asks_for_totp(self, name: str) -> bool | None:
        with self._asking(_NOBODY):
            found = self._client.admin_get_user(UserPoolId=self._pool, Username=name)
            return _TOTP in found.get("UserMFASettingList", []) or None
        return None

    def _asking(self, *unless: str) -> "_Asking":
        return _Asking(self._client.exceptions, unless)


class _Asking:
    """Raises what a refusal by Cognito means to our caller; one of `unless` just ends it."""

    def __init__(self, exceptions: "Exceptions", unless: tuple[str, ...]) -> None:
        self._exceptions = exceptions
        self._unless = unless

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        """Return whether the refusal is one of those that end it."""
        if not isinstance(error, self._exceptions.ClientError):
            return False
        code = error.response["Error"]["Code"]
        if code in self._unless:
            return True
        refusal = _REFUSALS.get(code)
        if refusal is not None:
            # Cognito's message may quote the name.
            raise refusal() from None
        return False
