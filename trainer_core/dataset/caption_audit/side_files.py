"""Files beside pictures that look like captions: of other forms, or without their picture."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from trainer_core.dataset.captions import caption_stems

# What other programs write captions into. Those of the second kind hold more than the words.
_PLAIN = frozenset({".txt", ".caption", ".cap", ".tags", ".text"})
_STRUCTURED = frozenset({".json", ".yaml", ".yml", ".xml", ".csv"})

# Texts about a dataset as a whole, which people put beside its pictures.
_ABOUT_ALL = frozenset({"readme", "license", "licence", "notes"})


def is_plain(ending: str) -> bool:
    """Tell whether files of this ending hold a caption and nothing else."""
    return PurePath("a" + ending).suffix.lower() in _PLAIN


@dataclass(frozen=True, slots=True)
class SideFiles:
    """The files of a folder that look like captions, and the names of all others.

    Attributes:
        texts: Names that end as captions do, by the name without that ending.
        others: Names of all other files.
        stems: What captions of those files could be called, without their ending.
    """

    texts: dict[str, list[str]] = field(default_factory=dict)
    others: frozenset[str] = frozenset()
    stems: frozenset[str] = frozenset()

    @classmethod
    def of(cls, folder: Path) -> SideFiles:
        """Look at a folder; nothing is in one that cannot be read."""
        texts: defaultdict[str, list[str]] = defaultdict(list)
        others = []
        try:
            listed = os.listdir(folder)  # noqa: PTH208 - a million paths would be slow
        except OSError:
            listed = []
        for name in sorted(name for name in listed if not name.startswith(".")):
            stem, ending = os.path.splitext(name)  # noqa: PTH122 - likewise
            if ending.lower() in _PLAIN | _STRUCTURED:
                texts[stem].append(name)
            else:
                others.append(name)
        stems = frozenset(stem for name in others for stem in caption_stems(PurePath(name)))
        return cls(dict(texts), frozenset(others), stems)

    def ending_of(self, picture: Path) -> str | None:
        """Return how a file is called that could be the picture's caption, from its stem on.

        ``.png.txt`` for ``a.png.txt`` beside ``a.png``, ``.json`` for ``a.json``; a plain text
        before another. None if there is no such file.
        """
        names = [*self.texts.get(picture.name, []), *self.texts.get(picture.stem, [])]
        endings = [name.removeprefix(picture.stem) for name in names]
        return min(endings, key=lambda ending: not is_plain(ending), default=None)

    def usual_ending(self, pictures: Iterable[Path]) -> str | None:
        """Return the ending that most of the pictures have, None if none has any."""
        found = Counter(ending for p in pictures if (ending := self.ending_of(p)) is not None)
        return found.most_common(1)[0][0] if found else None

    def without_picture(self, endings: Collection[str]) -> list[str]:
        """Return the names of files with one of these endings whose picture is not there."""
        known = self.stems | self.others | _ABOUT_ALL
        return [
            name
            for stem, names in self.texts.items()
            for name in names
            if name.removeprefix(stem) in endings and not {stem, stem.lower()} & known
        ]
