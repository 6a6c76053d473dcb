"""PURE: whether a sample of a mail has just the fields that its sender gave, whatever their values are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PICTURES = "images"
KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "true or false"), (str, "text"), ((int, float), "a number"), (Mapping, "fields"), (Sequence, "a list"),
)  # fmt: skip


def differences(sample: Mapping[str, Any], sent: Mapping[str, Any], keyed: Sequence[str] = ()) -> list[str]:
    """What is unlike between two `data` of a mail, as the outbox keeps them; a sentence each, none where all is well.

    Fields and the kinds of their values are compared, down through lists: each element of one needs its like in the
    other. `keyed`: names of fields whose own keys are data, such as currencies; they are compared as lists of their
    values, and so are pictures. Nothing (null) stands for any kind, and an empty list says nothing of its elements.
    """
    return list(_Comparison(frozenset((PICTURES, *keyed))).of_fields(sample, sent, ""))


@dataclass(frozen=True, slots=True)
class _Comparison:
    keyed: frozenset[str]

    def of_fields(self, sample: Mapping[str, Any], sent: Mapping[str, Any], where: str) -> Iterator[str]:
        for name in sent:
            if name not in sample:
                yield f"{where}{name}: the sender gives it, the sample does not"
        for name, value in sample.items():
            if name not in sent:
                yield f"{where}{name}: the sample gives it, the sender does not"
            elif name in self.keyed and _kind(value) == _kind(sent[name]) == "fields":
                yield from self.of_elements([*value.values()], [*sent[name].values()], f"{where}{name}.*")
            else:
                yield from self.of_values(value, sent[name], f"{where}{name}")

    def of_values(self, sample: Any, sent: Any, where: str) -> Iterator[str]:
        if sample is None or sent is None:
            return
        if _kind(sample) != _kind(sent):
            yield f"{where}: {_kind(sent)} from the sender, {_kind(sample)} in the sample"
        elif isinstance(sample, Mapping):
            yield from self.of_fields(sample, sent, f"{where}.")
        elif _kind(sample) == "a list":
            yield from self.of_elements(sample, sent, f"{where}[]")

    def of_elements(self, sample: Sequence[Any], sent: Sequence[Any], where: str) -> list[str]:
        """Of each element that has no like in the other list, how it differs from the nearest there."""
        if not sample or not sent:
            return []
        unlike = [[list(self.of_values(ours, theirs, where)) for theirs in sent] for ours in sample]
        nearest = [min(row, key=len) for row in unlike] + [min(column, key=len) for column in zip(*unlike, strict=True)]
        return sorted({sentence for found in nearest for sentence in found})


def _kind(value: Any) -> str:
    return next((name for kind, name in KINDS if isinstance(value, kind)), type(value).__name__)
