"""Condition, update and key expressions: each is read once and kept as functions of an item, names and values.

What our expressions don't use is not there: it raises NotImplementedError.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Any

from simulation.dynamodb.values import ORDERED, SETS, Invalid, Stored, Value, check, comparable, kind_of, plain

type Names = Mapping[str, str]
type Values = Mapping[str, Value]
# Names, and places of lists.
type Path = tuple[str | int, ...]
type Operand = Callable[[Stored, Names, Values], Value | None]
type Test = Callable[[Stored, Names, Values], bool]
type Change = Callable[[Stored, Names, Values], dict[str, Value]]

_TOKEN = re.compile(r"\s*(#\w+|:\w+|\w+|<>|<=|>=|[=<>(),.+[\]-])")
_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
}
_CLAUSES = ("SET", "REMOVE", "ADD", "DELETE")


@dataclass(frozen=True, slots=True)
class Read[T]:
    """An expression that was read, and the names and values that it mentions."""

    do: T
    names: frozenset[str]
    values: frozenset[str]


@dataclass(frozen=True, slots=True)
class KeyPart:
    """What a key condition says of one attribute of a key."""

    name: str
    relation: str
    values: tuple[str, ...]


@cache
def condition(text: str) -> Read[Test]:
    tokens = _Tokens(text)
    return tokens.read(_either(tokens))


@cache
def update(text: str) -> Read[Change]:
    tokens = _Tokens(text)
    return tokens.read(_changes(tokens))


@cache
def key_condition(text: str) -> Read[tuple[KeyPart, ...]]:
    tokens = _Tokens(text)
    parts = [_key_part(tokens)]
    while tokens.takes("AND"):
        parts.append(_key_part(tokens))
    return tokens.read(tuple(parts))


@cache
def projection(text: str) -> Read[tuple[str, ...]]:
    tokens = _Tokens(text)
    found = [tokens.name()]
    while tokens.takes(","):
        found.append(tokens.name())
    return tokens.read(tuple(found))


def named(name: str | int, names: Names) -> str:
    """Return the name of an attribute. Raises NotImplementedError for a place of a list."""
    if isinstance(name, int):
        raise NotImplementedError("a place of a list")
    return names[name] if name[0] == "#" else name


class _Tokens:
    """The words of an expression, taken one after the other."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._words = _TOKEN.findall(text)
        if "".join(self._words) != re.sub(r"\s", "", text):
            raise NotImplementedError(text)
        self._at = 0

    def read[T](self, do: T) -> Read[T]:
        """Return what was read of the whole expression."""
        if self._at < len(self._words):
            raise Invalid(f"not understood: {self._text}")
        mentioned = {sign: frozenset(word for word in self._words if word[0] == sign) for sign in "#:"}
        return Read(do, mentioned["#"], mentioned[":"])

    def peek(self, ahead: int = 0) -> str:
        place = self._at + ahead
        return self._words[place] if place < len(self._words) else ""

    def take(self) -> str:
        word = self.peek()
        self._at += 1
        return word

    def takes(self, *words: str) -> str:
        """Take the next word if it is one of these; return it, else nothing."""
        return self.take() if self.peek().upper() in words else ""

    def expect(self, word: str) -> None:
        if not self.takes(word):
            raise Invalid(f"expected {word}: {self._text}")

    def name(self) -> str:
        word = self.take()
        if not re.fullmatch(r"#?\w+", word):
            raise Invalid(f"expected a name: {self._text}")
        return word

    def value(self) -> str:
        word = self.take()
        if word[:1] != ":":
            raise Invalid(f"expected a value: {self._text}")
        return word

    def path(self) -> Path:
        found: list[str | int] = [self.name()]
        while sign := self.takes(".", "["):
            found.append(self.name() if sign == "." else int(self.take()))
            if sign == "[":
                self.expect("]")
        return tuple(found)


# ---------------------------------------------------------------- conditions


def _either(tokens: _Tokens) -> Test:
    tests = [_both(tokens)]
    while tokens.takes("OR"):
        tests.append(_both(tokens))
    return tests[0] if len(tests) == 1 else lambda *asked: any(test(*asked) for test in tests)


def _both(tokens: _Tokens) -> Test:
    tests = [_negated(tokens)]
    while tokens.takes("AND"):
        tests.append(_negated(tokens))
    return tests[0] if len(tests) == 1 else lambda *asked: all(test(*asked) for test in tests)


def _negated(tokens: _Tokens) -> Test:
    if tokens.takes("NOT"):
        test = _negated(tokens)
        return lambda *asked: not test(*asked)
    if tokens.takes("("):
        test = _either(tokens)
        tokens.expect(")")
        return test
    if tokens.peek(1) == "(" and tokens.peek() != "size":
        return _function(tokens)
    return _comparison(tokens)


def _function(tokens: _Tokens) -> Test:
    function = tokens.take()
    tokens.expect("(")
    read = _operand(tokens)
    if function in {"attribute_exists", "attribute_not_exists"}:
        tokens.expect(")")
        wanted = function == "attribute_exists"
        return lambda *asked: (read(*asked) is not None) is wanted
    tokens.expect(",")
    other = _operand(tokens)
    tokens.expect(")")
    holds = {"begins_with": _begins_with, "contains": _contains}.get(function)
    if holds is None:
        raise NotImplementedError(function)

    def test(*asked: Any) -> bool:
        one, two = read(*asked), other(*asked)
        return one is not None and two is not None and holds(one, two)

    return test


def _begins_with(value: Value, start: Value) -> bool:
    return kind_of(value) == kind_of(start) in {"S", "B"} and plain(value).startswith(plain(start))


def _contains(value: Value, wanted: Value) -> bool:
    kind = kind_of(value)
    if kind in SETS:
        return kind_of(wanted) == kind[0] and comparable(wanted)[1] in comparable(value)[1]
    if kind == "L":
        return comparable(wanted) in comparable(value)[1]
    return kind == kind_of(wanted) in {"S", "B"} and plain(wanted) in plain(value)


def _comparison(tokens: _Tokens) -> Test:
    read = _operand(tokens)
    relation = tokens.take().upper()
    if relation == "BETWEEN":
        first = _operand(tokens)
        tokens.expect("AND")
        last = _operand(tokens)
        return lambda *asked: _ordered(first(*asked), "<=", read(*asked)) and _ordered(read(*asked), "<=", last(*asked))
    if relation not in {"=", "<>", *_ORDER}:
        raise NotImplementedError(relation)
    other = _operand(tokens)
    if relation == "=":
        return lambda *asked: _equal(read(*asked), other(*asked))
    if relation == "<>":
        return lambda *asked: not _equal(read(*asked), other(*asked))
    return lambda *asked: _ordered(read(*asked), relation, other(*asked))


def _equal(one: Value | None, other: Value | None) -> bool:
    return one is not None and other is not None and comparable(one) == comparable(other)


def _ordered(one: Value | None, relation: str, other: Value | None) -> bool:
    if one is None or other is None or kind_of(one) != kind_of(other) or kind_of(one) not in ORDERED:
        return False
    return _ORDER[relation](plain(one), plain(other))


def _operand(tokens: _Tokens) -> Operand:
    word = tokens.peek()
    if word[:1] == ":":
        value = tokens.value()
        return lambda _item, _names, values: values[value]
    if word == "size" and tokens.peek(1) == "(":
        tokens.take()
        tokens.expect("(")
        read = _operand(tokens)
        tokens.expect(")")
        return lambda *asked: _length(read(*asked))
    return _reader(tokens.path())


def _length(value: Value | None) -> Value | None:
    if value is None or kind_of(value) not in {"S", "B", "L", "M", *SETS}:
        return None
    return {"N": str(len(value[kind_of(value)]))}


def _reader(path: Path) -> Operand:
    if len(path) == 1:
        (name,) = path
        return lambda item, names, _: item.get(named(name, names))
    outer, *inner = path

    def read(item: Stored, names: Names, _: Values) -> Value | None:
        value = item.get(named(outer, names))
        for part in inner:
            if value is None:
                return None
            if isinstance(part, int):
                value = dict(enumerate(value.get("L", ()))).get(part)
            else:
                value = value.get("M", {}).get(named(part, names))
        return value

    return read


# ---------------------------------------------------------------- changes


@dataclass(frozen=True, slots=True)
class _Step:
    """What an update does to one path; `value` gives the value it takes, of the item as it was."""

    verb: str
    path: Path
    value: Operand | None


def _changes(tokens: _Tokens) -> Change:
    steps: list[_Step] = []
    seen: set[str] = set()
    while verb := tokens.takes(*_CLAUSES).upper():
        if verb in seen:
            raise Invalid(f"{verb} is there twice")
        seen.add(verb)
        steps.append(_step(verb, tokens))
        while tokens.takes(","):
            steps.append(_step(verb, tokens))

    def change(item: Stored, names: Names, values: Values) -> dict[str, Value]:
        _check_apart([tuple(named(name, names) for name in step.path) for step in steps])
        taken = [None if step.value is None else step.value(item, names, values) for step in steps]
        changed = dict(item)
        for step, value in zip(steps, taken, strict=True):
            _carry_out(step, value, changed, names)
        return changed

    return change


def _check_apart(paths: Sequence[Path]) -> None:
    for one, other in combinations(paths, 2):
        shared = min(len(one), len(other))
        if one[:shared] == other[:shared]:
            raise Invalid("two document paths overlap")


def _step(verb: str, tokens: _Tokens) -> _Step:
    path = tokens.path()
    if verb == "REMOVE":
        return _Step(verb, path, None)
    if verb != "SET":
        value = tokens.value()
        return _Step(verb, path, lambda _item, _names, values: values[value])
    tokens.expect("=")
    first = _set_operand(tokens)
    sign = tokens.takes("+", "-")
    if not sign:
        return _Step(verb, path, first)
    second = _set_operand(tokens)
    return _Step(verb, path, lambda *asked: _sum(first(*asked), second(*asked), -1 if sign == "-" else 1))


def _set_operand(tokens: _Tokens) -> Operand:
    if tokens.peek(1) != "(":
        return _there(_operand(tokens))
    if tokens.take() != "if_not_exists":
        raise NotImplementedError("a function in SET")
    tokens.expect("(")
    read = _reader(tokens.path())
    tokens.expect(",")
    otherwise = _there(_operand(tokens))
    tokens.expect(")")

    def value(*asked: Any) -> Value | None:
        found = read(*asked)
        return otherwise(*asked) if found is None else found

    return value


def _there(read: Operand) -> Operand:
    def value(*asked: Any) -> Value:
        found = read(*asked)
        if found is None:
            raise Invalid("an expression refers to an attribute that does not exist in the item")
        return found

    return value


def _sum(one: Value | None, other: Value | None, sign: int) -> Value:
    if one is None or other is None or {kind_of(one), kind_of(other)} != {"N"}:
        raise Invalid("an operand is no number")
    return {"N": str(plain(one) + sign * plain(other))}


def _carry_out(step: _Step, value: Value | None, changed: dict[str, Value], names: Names) -> None:
    """Carry out a step in an item of its own, whose values are shared with others."""
    place: dict[str, Value] = changed
    *outer, name = (named(one, names) for one in step.path)
    for one in outer:
        found = place.get(one)
        if found is None or kind_of(found) != "M":
            raise Invalid("the document path provided in the update expression is invalid for update")
        inner = dict(found["M"])
        place[one] = {"M": inner}
        place = inner
    before = place.get(name)
    if value is None:
        place.pop(name, None)
        return
    check(value)
    after: Value | None = value
    if step.verb == "ADD":
        after = value if before is None else _added(before, value)
    elif step.verb == "DELETE":
        after = None if before is None else _deleted(before, value)
    if after is None:
        place.pop(name, None)
    else:
        place[name] = after


def _added(before: Value, value: Value) -> Value:
    kind = kind_of(value)
    if kind == "N":
        return _sum(before, value, 1)
    if kind not in SETS or kind_of(before) != kind:
        raise Invalid("an operand of ADD is of the wrong type")
    return {kind: [*before[kind], *(one for one in value[kind] if one not in before[kind])]}


def _deleted(before: Value, value: Value) -> Value | None:
    kind = kind_of(value)
    if kind not in SETS or kind_of(before) != kind:
        raise Invalid("an operand of DELETE is of the wrong type")
    left = [one for one in before[kind] if one not in value[kind]]
    return {kind: left} if left else None


# ---------------------------------------------------------------- keys


def _key_part(tokens: _Tokens) -> KeyPart:
    if tokens.peek() == "begins_with":
        tokens.take()
        tokens.expect("(")
        name = tokens.name()
        tokens.expect(",")
        value = tokens.value()
        tokens.expect(")")
        return KeyPart(name, "begins_with", (value,))
    name, relation = tokens.name(), tokens.take().upper()
    if relation == "BETWEEN":
        first = tokens.value()
        tokens.expect("AND")
        return KeyPart(name, relation, (first, tokens.value()))
    if relation not in {"=", *_ORDER}:
        raise Invalid(f"a key condition with {relation}")
    return KeyPart(name, relation, (tokens.value(),))
