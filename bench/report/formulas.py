"""What the formulas of some rows are, in words: written beside the rows, so that anybody can read them."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bench import pages
from bench.cells.catalogue import CATALOGUE
from bench.store.results import write
from bench.store.rows import files

FILE = "formulas.json"
WORDS = ("title", "page", "unit")
MEANINGS = ("options", "sizes", "regimes")

About = dict[str, Any]


def about(name: str) -> About:
    """A formula's title, page and unit, and what its options, sizes and regimes mean.

    Of one that no page of this version has, the title is its name and the rest is empty.
    """
    case = pages.cases().get(name)
    if case is None:
        return {"title": name, "page": "", "unit": "", **{each: {} for each in MEANINGS}}
    return {
        "title": case.title,
        "page": pages.page(case),
        "unit": case.unit,
        "options": {each: _keywords(given) for each, given in case.options.items()},
        "sizes": {each: _keywords(given) for each, given in case.sizes.items()},
        "regimes": {name: kind.why for name, kind in CATALOGUE.items()} | dict(case.regimes),
    }


def _keywords(given: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in given.items())


def keep(folder: Path, names: Iterable[str]) -> Path:
    """Write what these formulas are beside the rows of a run."""
    text = json.dumps({name: about(name) for name in names}, indent=1, ensure_ascii=False)
    return write(folder / FILE, text + "\n")


def kept(paths: Iterable[Path]) -> dict[str, About]:
    """What the runs at these paths say of their formulas; a file that is none of ours says nothing."""
    found: dict[str, About] = {}
    for file in (file for path in paths for file in files(path)):
        try:
            told = json.loads((file.parent / FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            continue
        for name, words in told.items() if isinstance(told, dict) else ():
            if isinstance(words, dict):
                found.setdefault(str(name), _plain(words))
    return found


def _plain(words: Mapping[str, Any]) -> About:
    """Only what we would have written: texts, and texts by name."""
    found: About = {each: words[each] if isinstance(words.get(each), str) else "" for each in WORDS}
    for each in MEANINGS:
        given = words.get(each)
        pairs = given.items() if isinstance(given, dict) else ()
        found[each] = {name: text for name, text in pairs if isinstance(text, str)}
    return found
