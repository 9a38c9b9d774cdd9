"""Items to dataclasses and back, by the fields of the dataclass.

None is absent in an item, as is an empty tuple or mapping where the field has a default; what is absent is the default,
else None. Members of enums are kept as their values, frozensets as sets, tuples as lists, of dataclasses as lists of maps,
a dataclass as a map.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, TypeAliasType, get_args, get_origin

from globalconnect.store.dynamo import Item

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

type _Form = Callable[[Any], Any] | None


class Codec[T: DataclassInstance]:
    """Writes and reads one dataclass; `attributes` are those that it reads.

    `names` are the attributes of fields that are called otherwise in the table, `parts` the codecs of fields that may be
    None and whose own fields are attributes of the item. Fields in `unwritten` are only read.
    """

    def __init__(
        self,
        kind: type[T],
        names: Mapping[str, str] | None = None,
        parts: Mapping[str, "Codec[Any]"] | None = None,
        unwritten: Collection[str] = (),
    ) -> None:
        self._kind = kind
        self._parts = parts or {}
        own = [field for field in fields(kind) if field.name not in self._parts]
        forms = [(field.name, (names or {}).get(field.name, field.name), *_forms(field)) for field in own]
        self._written = [(name, attribute, form) for name, attribute, form, _ in forms if name not in unwritten]
        self._read = [(name, attribute) for name, attribute, _, _ in forms]
        self._formed = [(name, form) for name, _, _, form in forms if form is not None]
        self._absent: dict[str, Any] = dict.fromkeys(
            [*self._parts, *(field.name for field in own if NoneType in get_args(field.type))]
        )
        self.attributes = [attribute for _, attribute in self._read]
        for part in self._parts.values():
            self.attributes += part.attributes

    def to_item(self, value: T) -> Item:
        item: Item = {}
        for name, attribute, form in self._written:
            kept = getattr(value, name)
            item[attribute] = kept if kept is None or form is None else form(kept)
        for name, part in self._parts.items():
            if (kept := getattr(value, name)) is not None:
                item |= part.to_item(kept)
        return item

    def from_item(self, item: Mapping[str, Any]) -> T:
        found = self._absent | {
            name: item[attribute] for name, attribute in self._read if item.get(attribute) is not None
        }
        for name, form in self._formed:
            if found.get(name) is not None:
                found[name] = form(found[name])
        for name, part in self._parts.items():
            if part.attributes[0] in item:
                found[name] = part.from_item(item)
        return self._kind(**found)


def _forms(field: Field[Any]) -> tuple[_Form, _Form]:
    """Return what writes the value of a field, and what reads it; None for one that is kept as it is."""
    kind: Any = field.type
    if isinstance(kind, TypeAliasType):
        kind = kind.__value__
    if isinstance(kind, UnionType):
        # One of several that are not None is kept as it is.
        kind, *_ = (one for one in get_args(kind) if one is not NoneType)
    may_be_absent = field.default is not MISSING or field.default_factory is not MISSING
    origin = get_origin(kind)
    if origin is frozenset:
        return None, frozenset
    if origin is Mapping:
        return (lambda kept: None if may_be_absent and not kept else dict(kept)), None
    if origin is tuple and not is_dataclass(get_args(kind)[0]):
        return (lambda kept: None if may_be_absent and not kept else list(kept)), tuple
    if origin is tuple:
        part: Codec[Any] = Codec(get_args(kind)[0])
        return (
            lambda kept: None if may_be_absent and not kept else [part.to_item(one) for one in kept],
            lambda kept: tuple(part.from_item(one) for one in kept),
        )
    return _forms_of_class(kind) if isinstance(kind, type) else (None, None)


def _forms_of_class(kind: type) -> tuple[_Form, _Form]:
    if is_dataclass(kind):
        whole: Codec[Any] = Codec(kind)
        return whole.to_item, whole.from_item
    if issubclass(kind, Enum):
        return (lambda kept: kept.value), kind
    return None, None
