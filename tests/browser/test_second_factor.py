"""A second factor: set up, asked for at every sign-in, turned off; whatever else Cognito asks; and where it is required.

Whose tests name the `scripted` Cognito run on tests/browser/cognito.py, since the emulator's asks for one thing at most
and never for MFA_SETUP; all others on the emulator's, which makes secrets and checks codes as AWS's does.
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from local.aws import CONFIG, session
from local.place import REPOSITORY
from local.stack import Stack
from tests.browser.cognito import SECRET, ScriptedCognito, in_place, totp, wrong
from tests.browser.driving import NARROW, WIDE, Console, Scheme, confirm, fill, node, press, shows, shows_page

OWN = "A-password-of-my-own-2"
WRONG_CODE = "Wrong code."
# How long the console waits before it asks the API again (ms).
LOOKS_AGAIN = 5_000
OTHER_PAGES = ("Services", "Sources", "Partners")

# What a picture holds, as a phone would see it.
_PIXELS = """async (png) => {
  const bytes = Uint8Array.from(atob(png), (one) => one.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes]));
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
  canvas.drawImage(bitmap, 0, 0);
  const { width, height, data } = canvas.getImageData(0, 0, bitmap.width, bitmap.height);
  return { width, height, data: [...data] };
}"""
_DECODE = f"""
import {{ decodeQR }} from {json.dumps(str(REPOSITORY / "console" / "node_modules" / "qr" / "decode.js"))};
let given = "";
for await (const piece of process.stdin.setEncoding("utf8")) given += piece;
const {{ data, ...size }} = JSON.parse(given);
process.stdout.write(JSON.stringify(decodeQR({{ ...size, data: Uint8Array.from(data) }}, {{ timeLimit: 5_000 }})));
"""


@pytest.fixture
def console(signed_out: Console) -> Console:
    return signed_out


@pytest.fixture
def cognito(deployed: Stack) -> Any:
    return session().client("cognito-idp", endpoint_url=deployed.endpoint_url, config=CONFIG)


@pytest.fixture
def tokens(cognito: Any, deployed: Stack) -> dict[str, Any]:
    """Return what the local user gets who signs in."""
    parameters = {"USERNAME": deployed.admin_user, "PASSWORD": deployed.admin_password}
    started = {"ClientId": deployed.user_pool_client_id, "AuthFlow": "USER_PASSWORD_AUTH"}
    return dict(cognito.initiate_auth(**started, AuthParameters=parameters)["AuthenticationResult"])


@pytest.fixture
def _back_off(cognito: Any, tokens: dict[str, Any]) -> Iterator[None]:
    """Leave the local user without a second factor."""
    yield
    off = {"Enabled": False, "PreferredMfa": False}
    cognito.set_user_mfa_preference(AccessToken=tokens["AccessToken"], SoftwareTokenMfaSettings=off)


@pytest.fixture
def secret(cognito: Any, tokens: dict[str, Any], _back_off: None) -> str:
    """Return the secret of the local user, who has a second factor."""
    mine = {"AccessToken": tokens["AccessToken"]}
    secret: str = cognito.associate_software_token(**mine)["SecretCode"]
    cognito.verify_software_token(**mine, UserCode=totp(secret))
    cognito.set_user_mfa_preference(**mine, SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": True})
    return secret


@pytest.fixture
def scripted(deployed: Stack, tokens: dict[str, Any]) -> Iterator[ScriptedCognito]:
    """Return a Cognito that asks for what the test says, in place of the emulator's."""
    cognito = ScriptedCognito(tokens)
    with in_place(cognito, deployed):
        yield cognito


def signed_in(page: Page) -> None:
    expect(page.get_by_role("button", name="Sign out", exact=True)).to_be_visible()


def scanned(page: Page) -> str:
    """Return what a phone reads from the QR code that is shown."""
    picture = page.get_by_role("img", name="QR code")
    expect(picture.locator("path")).to_be_attached()
    pixels = page.evaluate(_PIXELS, b64encode(picture.screenshot()).decode())
    return str(node(_DECODE, given=json.dumps(pixels).encode()))


def typed(page: Page) -> str:
    """Return the secret that is shown to be typed."""
    groups = page.locator(".copyable code").inner_text().split(" ")
    assert {len(group) for group in groups[:-1]} == {4}
    return "".join(groups)


def code_field(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Code")


def enter_code(page: Page, code: str, button: str) -> None:
    code_field(page).fill(code)
    press(page, button)


@pytest.mark.usefixtures("_back_off")
def test_a_second_factor_is_set_up_on_ones_own_page_asked_for_at_sign_in_and_turned_off_there(
    console: Console, cognito: Any, tokens: dict[str, Any]
) -> None:
    def known() -> list[str]:
        found: list[str] = cognito.get_user(AccessToken=tokens["AccessToken"]).get("UserMFASettingList", [])
        return found

    page = console.enter("/services")
    page.get_by_role("link", name=f"{console.stack.admin_user}, your account").click()
    shows_page(page, "Your account")
    shows(page.locator("main"), "Off Your password alone signs you in.")
    press(page, "Set up")
    looks: tuple[tuple[int, Scheme], ...] = ((NARROW, "light"), (WIDE, "dark"))
    for width, scheme in looks:
        page.emulate_media(color_scheme=scheme)
        assert console.fits(width)
        assert console.axe() == [], (width, scheme)
    # Read off the screen in the dark, it is what apps expect.
    url = urlsplit(scanned(page))
    asked = {name: value for name, (value,) in parse_qs(url.query).items()}
    assert (url.scheme, url.netloc, unquote(url.path)) == (
        "otpauth",
        "totp",
        f"/GlobalConnect:{console.stack.admin_user}",
    )
    assert asked == {"secret": typed(page), "issuer": "GlobalConnect"}
    enter_code(page, "12 34", "Turn on")
    expect(page.get_by_text("Enter the six digits that your app shows.")).to_be_visible()
    enter_code(page, wrong(totp(typed(page))), "Turn on")
    shows(page.get_by_role("alert"), WRONG_CODE)
    assert known() == []
    enter_code(page, totp(asked["secret"]), "Turn on")
    shows(page.locator("main"), "On Sign-in asks for a code")
    assert known() == ["SOFTWARE_TOKEN_MFA"]

    press(page, "Sign out")
    console.sign_in()
    shows_page(page, "Enter your code")
    expect(code_field(page)).to_be_focused()
    assert console.axe() == []
    enter_code(page, wrong(totp(asked["secret"])), "Sign in")
    shows(page.get_by_role("alert"), WRONG_CODE)
    code = totp(asked["secret"])
    enter_code(page, f"{code[:3]} {code[3:]}", "Sign in")
    shows_page(page, "Your account")

    confirm(page, "Turn off", "Turn off")
    shows(page.locator("main"), "Off Your password alone signs you in.")
    assert known() == []
    press(page, "Sign out")
    console.sign_in()
    shows_page(page, "Your account")


def test_a_session_that_ends_asks_for_the_code_as_well_and_the_form_goes_on(console: Console, secret: str) -> None:
    page = console.page
    console.open("/services")
    console.sign_in()
    enter_code(page, totp(secret), "Sign in")
    shows_page(page, "Services")
    press(page, "New service")
    fill(page.get_by_role("dialog"), {"Code": "factor", "Name": "Kept while a code was asked for"})
    console.end_session()
    press(page.get_by_role("dialog"), "Save")
    again = page.get_by_role("dialog", name="Your session has ended")
    fill(again, {"Password": console.stack.admin_password}, "Sign in")
    fill(page.get_by_role("dialog", name="Enter your code"), {"Code": totp(secret)}, "Sign in")
    expect(page.get_by_role("row").filter(has_text="Kept while a code was asked for")).to_be_visible()


@pytest.mark.parametrize(
    "challenges",
    [
        ["SOFTWARE_TOKEN_MFA"],
        ["MFA_SETUP"],
        ["NEW_PASSWORD_REQUIRED", "MFA_SETUP"],
        ["NEW_PASSWORD_REQUIRED", "SOFTWARE_TOKEN_MFA"],
    ],
    ids="+".join,
)
def test_the_challenges_of_the_pool_are_answered_one_after_another(
    challenges: list[str], console: Console, scripted: ScriptedCognito
) -> None:
    scripted.challenges = challenges
    page = console.page
    console.open("/services")
    console.sign_in()
    for challenge in challenges:
        if challenge == "NEW_PASSWORD_REQUIRED":
            shows_page(page, "Choose your own password")
            fill(page, {"New password": OWN, "Repeat password": OWN}, "Set password and sign in")
            continue
        title, button = {
            "SOFTWARE_TOKEN_MFA": ("Enter your code", "Sign in"),
            "MFA_SETUP": ("Set up your second factor", "Turn on and sign in"),
        }[challenge]
        shows_page(page, title)
        expect(code_field(page)).to_be_focused()
        if challenge == "MFA_SETUP":
            assert typed(page) == SECRET
            assert console.fits(NARROW)
        enter_code(page, wrong(totp(SECRET)), button)
        shows(page.get_by_role("alert"), WRONG_CODE)
        enter_code(page, totp(SECRET), button)
    shows_page(page, "Services")
    answered = [given["ChallengeName"] for action, given in scripted.requests if action == "RespondToAuthChallenge"]
    # A wrong code for a new app gets no further than VerifySoftwareToken.
    assert list(dict.fromkeys(answered)) == challenges


@pytest.mark.parametrize(
    ("kind", "message", "shown"),
    [
        ("ExpiredCodeException", "Your software token has already been used once.", "Wait for the next one."),
        ("LimitExceededException", "Attempt limit exceeded", "Too many attempts."),
        ("NotAuthorizedException", "User is disabled.", "This account is disabled."),
    ],
)
def test_what_cognito_says_to_a_code_is_told_in_words_and_another_can_be_tried(
    kind: str, message: str, shown: str, console: Console, scripted: ScriptedCognito
) -> None:
    scripted.challenges = ["SOFTWARE_TOKEN_MFA"]
    page = console.page
    console.open("/services")
    console.sign_in()
    shows_page(page, "Enter your code")
    scripted.refusals = [(kind, message)]
    enter_code(page, totp(SECRET), "Sign in")
    shows(page.get_by_role("alert"), shown)
    enter_code(page, totp(SECRET), "Sign in")
    shows_page(page, "Services")


@pytest.mark.parametrize("challenge", ["SOFTWARE_TOKEN_MFA", "MFA_SETUP", "NEW_PASSWORD_REQUIRED"])
def test_a_sign_in_that_took_too_long_starts_over_with_the_name_that_was_typed(
    challenge: str, console: Console, scripted: ScriptedCognito
) -> None:
    scripted.challenges = [challenge]
    page = console.page
    console.open("/services")
    console.sign_in()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    scripted.refusals = [("NotAuthorizedException", "Invalid session for the user, session is expired.")]
    if challenge == "NEW_PASSWORD_REQUIRED":
        fill(page, {"New password": OWN, "Repeat password": OWN}, "Set password and sign in")
    else:
        enter_code(
            page, totp(SECRET), re.sub(".*SETUP", "Turn on and sign in", challenge).replace(challenge, "Sign in")
        )
    shows(page.get_by_role("alert"), "That took too long")
    expect(page.get_by_label("Email")).to_have_value(console.stack.admin_user)
    scripted.challenges = []
    fill(page, {"Password": console.stack.admin_password}, "Sign in")
    shows_page(page, "Services")


@pytest.mark.parametrize("challenge", ["SMS_MFA", "SELECT_MFA_TYPE"])
def test_a_challenge_that_the_console_does_not_know_is_named(
    challenge: str, console: Console, scripted: ScriptedCognito
) -> None:
    scripted.challenges = [challenge]
    console.open()
    console.sign_in()
    shows(console.page.get_by_role("alert"), f"Sign-in asks for {challenge}, which the console can't answer.")


@pytest.mark.usefixtures("_back_off")
def test_where_a_second_factor_is_required_there_is_only_its_set_up_and_then_all_goes_on(console: Console) -> None:
    """The API is made to refuse as it does where the deployment requires one; Cognito is the emulator's."""
    is_required = True

    def refuse(route: Route) -> None:
        body = {"status": "ERROR", "message": "TOTP needed: set up a second factor"}
        if is_required:
            route.fulfill(status=403, json=body, headers={"Access-Control-Allow-Origin": "*"})
        else:
            route.continue_()

    console.context.route(re.compile(r"/admin/"), refuse)
    page = console.page
    page.clock.install()
    console.open("/services")
    console.sign_in()
    shows_page(page, "Your account")
    shows(page.get_by_role("alert"), "Set yours up to go on.")
    for name in OTHER_PAGES:
        expect(page.get_by_role("link", name=name)).to_have_count(0)
    page.evaluate("location.hash = '/sources'")
    press(page, "Set up")
    secret = typed(page)
    enter_code(page, totp(secret), "Turn on")
    shows(page.locator("main"), "It is on. The console goes on in a moment.")
    is_required = False
    page.clock.fast_forward(LOOKS_AGAIN)
    shows_page(page, "Sources")
    for name in OTHER_PAGES:
        expect(page.get_by_role("link", name=name)).to_be_visible()
