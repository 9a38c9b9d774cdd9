"""The accounts of the staff at Cognito, by user name. What it does not do is an error of ours; each call may be repeated."""

from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from globalconnect.store.cache import Cache

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp.client import CognitoIdentityProviderClient
    from mypy_boto3_cognito_idp.type_defs import AttributeTypeTypeDef

# Who was invited and has not come yet.
_INVITED = "FORCE_CHANGE_PASSWORD"
_TOTP = "SOFTWARE_TOKEN_MFA"
_TOTP_CACHE_SECONDS = 60


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

        Returns False for who has an account of their own already, which stays as it is.
        """
        attributes: list[AttributeTypeTypeDef] = [
            {"Name": "email", "Value": name},
            {"Name": "email_verified", "Value": "true"},
        ]
        try:
            if password is None:
                self._client.admin_create_user(
                    UserPoolId=self._pool, Username=name, UserAttributes=attributes, DesiredDeliveryMediums=["EMAIL"]
                )
            else:
                self._client.admin_create_user(
                    UserPoolId=self._pool, Username=name, UserAttributes=attributes, MessageAction="SUPPRESS"
                )
                self.set_one_time_password(name, password)
        except self._client.exceptions.UsernameExistsException:
            found = self._client.admin_get_user(UserPoolId=self._pool, Username=name)
            if found["UserStatus"] != _INVITED:
                return False
            if password is None:
                self._client.admin_create_user(
                    UserPoolId=self._pool, Username=name, MessageAction="RESEND", DesiredDeliveryMediums=["EMAIL"]
                )
            else:
                self.set_one_time_password(name, password)
        return True

    def set_one_time_password(self, name: str, password: str) -> None:
        """Have a person sign in with this password once, to choose their own."""
        self._client.admin_set_user_password(UserPoolId=self._pool, Username=name, Password=password, Permanent=False)

    def disable(self, name: str) -> None:
        """Have a person not sign in any more."""
        with suppress(self._client.exceptions.UserNotFoundException):
            self._client.admin_disable_user(UserPoolId=self._pool, Username=name)
        self.end_sessions(name)

    def enable(self, name: str) -> None:
        with suppress(self._client.exceptions.UserNotFoundException):
            self._client.admin_enable_user(UserPoolId=self._pool, Username=name)

    def end_sessions(self, name: str) -> None:
        """Have no session of a person renew its tokens."""
        with suppress(self._client.exceptions.UserNotFoundException):
            self._client.admin_user_global_sign_out(UserPoolId=self._pool, Username=name)

    def delete(self, name: str) -> None:
        with suppress(self._client.exceptions.UserNotFoundException):
            self._client.admin_delete_user(UserPoolId=self._pool, Username=name)

    def has_totp(self, name: str) -> bool:
        """Return whether Cognito asks a person for a second factor; that it does is remembered for a minute."""
        return bool(self._with_totp.get(name, lambda: self._asks_for_totp(name)))

    def remove_totp(self, name: str) -> None:
        """Have a person sign in without a second factor, so that they can set up another."""
        self._with_totp.forget(name)
        with suppress(self._client.exceptions.UserNotFoundException):
            self._client.admin_set_user_mfa_preference(
                UserPoolId=self._pool,
                Username=name,
                SoftwareTokenMfaSettings={"Enabled": False, "PreferredMfa": False},
            )

    def _asks_for_totp(self, name: str) -> bool | None:
        with suppress(self._client.exceptions.UserNotFoundException):
            found = self._client.admin_get_user(UserPoolId=self._pool, Username=name)
            return _TOTP in found.get("UserMFASettingList", []) or None
        return None
