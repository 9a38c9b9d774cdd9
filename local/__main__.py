"""`python -m local up|down|demo|status`: what the Makefile calls."""

import argparse
import sys
from pathlib import Path

from local import demo, stack
from local.failure import LocalError
from local.place import DEFAULT_ROOT, Place
from local.progress import Progress


def main(arguments: list[str]) -> int:
    """Run one command; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        match options.command:
            case "up":
                _print_stack(_up(options), options.root)
            case "demo":
                up = _up(options)
                played = demo.play(up)
                _print_stack(up, options.root)
                print(f"  the demo's key  {played.key}")
                print(f"\nTry it:  curl '{up.api}/SMSBOWER?action=GET_SERVICES&key={played.key}'")
            case "down":
                print("Stopped." if stack.down(options.root) else "It was not running.")
            case "status":
                return _status(options.root)
    except LocalError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. Again with the same command; `make down` stops the stack.", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    parser.add_argument("command", choices=["up", "down", "demo", "status"])
    parser.add_argument("--root", type=Path, default=DEFAULT_ROOT, help="where the stack keeps its files")
    parser.add_argument("--port", type=int, help="port on 127.0.0.1; default: the one used last, then 4566")
    return parser


def _up(options: argparse.Namespace) -> stack.Stack:
    # The root of `make up` has a port people can remember, until they choose another.
    port = options.port or stack.known_port(options.root) or stack.DEFAULT_PORT
    progress = Progress()
    progress.say("The local stack:")
    return stack.up(options.root, port=port, progress=progress)


def _status(root: Path) -> int:
    found = stack.status(root)
    if found is None:
        print("The local stack is down. `make up` starts it.")
        return 1
    _print_stack(found, root)
    return 0


def _print_stack(up: stack.Stack, root: Path) -> None:
    place = Place(root)
    print(f"""
The stack is up; it listens on 127.0.0.1 only.

  partners call   {up.api}/SMSBOWER
  console         {up.api}/console/
  staff           {up.admin_user}   password {up.admin_password}
  token, and all  {place.stack_file}   (the token is good for an hour; `make up` brings a new one)
  AWS APIs        {up.endpoint_url}
  log             {place.emulator_log}
  stop it         make down   (the data stays)""")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
