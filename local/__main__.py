"""`python -m local up|down|demo|status`: what the Makefile calls."""

import argparse
import sys
from collections.abc import Callable

from local import demo, modem_demo, stack
from local.emulator import last_port
from local.failure import LocalError
from local.place import DEFAULT_ROOT, Place
from local.progress import Progress

PLACE = Place(DEFAULT_ROOT)
DEMOS = {"sale": demo.play, "modem": modem_demo.play}


def main(arguments: list[str]) -> int:
    """Run one command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    parser.add_argument("command", choices=["up", "down", "demo", "status"])
    parser.add_argument(
        "demo", nargs="?", choices=DEMOS, default="sale", help="which one `demo` plays; default: a sale"
    )
    parser.add_argument("--port", type=int, help="port on 127.0.0.1; default: the one used last, then 4566")
    parser.add_argument("--key-encryption", help="KeyEncryption of the stack; default: as it is, at first off")
    options = parser.parse_args(arguments)
    try:
        match options.command:
            case "down":
                print("Stopped." if stack.down(DEFAULT_ROOT) else "It was not running.")
            case "status":
                return _status()
            case command:
                _up(options.port, options.key_encryption, DEMOS[options.demo] if command == "demo" else None)
    except LocalError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. Again with the same command; `make down` stops the stack.", file=sys.stderr)
        return 130
    return 0


def _up(port: int | None, key_encryption: str | None, play: Callable[[stack.Stack], str] | None) -> None:
    progress = Progress()
    progress.say("The local stack:")
    # It has a port that people can remember, until they choose another.
    named = {"KeyEncryption": key_encryption} if key_encryption else {}
    up = stack.up(DEFAULT_ROOT, port or last_port(PLACE) or stack.DEFAULT_PORT, named, progress)
    key = play(up) if play else ""
    _print_stack(up)
    if key:
        print(f"  the demo's key  {key}\n\nTry it:  curl '{up.api}/SMSBOWER?action=GET_SERVICES&key={key}'")


def _status() -> int:
    found = stack.status(DEFAULT_ROOT)
    if found is None:
        print("The local stack is down. `make up` starts it.")
        return 1
    _print_stack(found)
    return 0


def _print_stack(up: stack.Stack) -> None:
    print(f"""
The stack is up; it listens on 127.0.0.1 only.

  partners call   {up.api}/SMSBOWER
  console         {up.api}/console/
  staff           {up.admin_user}   password {up.admin_password}
  token, and all  {PLACE.stack_file}   (the token is good for an hour; `make up` brings a new one)
  AWS APIs        {up.endpoint_url}
  log             {PLACE.emulator_log}
  stop it         make down   (the data stays)""")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
