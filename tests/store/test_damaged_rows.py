"""Damaged rows files: each is read completely, or refused with file, line and column.

Damage is planted at random, and the test knows what it planted: it does not ask the loader what is right.
`DAMAGE_SEED=7 pytest tests/store/test_damaged_rows.py` uses another seed; a failure names its seed.
"""

import gc
import json
import math
import os
import random
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, get_args

import pandas as pd
import pytest

from bench.store.results import Run
from bench.store.row import EDITIONS, MEANING, Row
from bench.store.rows import BEGINNING, check, entries, files, load
from tests.rows import row, timed
from tests.test_arrows import ROOT

SEED = os.environ.get("DAMAGE_SEED", "14")
FILES = 25  # of each kind
ALLOWED = {column.name: {*(get_args(column.type) or (column.type,))} for column in fields(Row)}
TEXT = [name for name, types in ALLOWED.items() if types == {str}]
WHOLE = [name for name, types in ALLOWED.items() if int in types]
REAL = [name for name, types in ALLOWED.items() if float in types]
SPEEDS = ("median_s", "low_s", "high_s", "throughput")


def line(found: dict[str, Any]) -> bytes:
    return json.dumps(found).encode()


@dataclass
class Damaged:
    """The lines of a rows file; line `at` is bad, in `column` if it can be named."""

    lines: list[bytes]
    at: int | None = None
    column: str | None = None
    end: bytes = b"\n"

    @property
    def bytes(self) -> bytes:
        return b"\n".join(self.lines) + self.end

    def bad(self, at: int, text: bytes, column: str | None = None) -> "Damaged":
        """Replace the text in one line, so that it is no longer a row."""
        return Damaged([*self.lines[:at], text, *self.lines[at + 1 :]], at, column)

    def good(self, at: int, text: bytes) -> "Damaged":
        """Replace the text in one line by another valid row."""
        return Damaged([*self.lines[:at], text, *self.lines[at + 1 :]])


def honest(rng: random.Random) -> list[dict[str, Any]]:
    """Rows of different cells, some with a speed, one from an older version."""
    known = [
        row(mode="eager", seed=rng.randrange(2**40)),
        timed(rng.random(), mode="compile", bytes=rng.randrange(2**50), samples=30, calls=2),
        row(mode="a", status="disagrees", why="y[3] is off: got 1 → 2", bits=3, undecided=rng.randrange(9)),
        row(mode="b", status="absent", why="no “such” thing", bits=None, z_rms=None, threads=None),
        timed(1e-300, mode="c", status="imprecise", z_worst=1.7976931348623157e308),
    ]
    rows = [each.as_dict() for each in known]
    old = row(mode="d", bits_lost=0.5).as_dict()  # whoever had this column wrote it
    for name in (name for names in EDITIONS[rng.randrange(len(EDITIONS) - 1) :] for name in names):
        del old[name]
    return [*rows, old]


def pick(rng: random.Random, rows: list[dict[str, Any]]) -> tuple[int, dict[str, Any]]:
    """One of the rows that have every column, to be changed."""
    at = rng.randrange(len(rows) - 1)
    return at, dict(rows[at])


# the kinds of damage


def truncated(rng, rows, whole):
    text = whole.bytes
    cut = rng.choice([rng.randrange(len(text)), text.index(b"\n") + rng.choice([0, 1])])
    kept = text[:cut].split(b"\n")
    ends = [len(one) for one in whole.lines]
    clean = not kept[-1] or len(kept[-1]) == ends[len(kept) - 1]
    if not kept[-1]:
        return Damaged(kept[:-1], end=b"\n" if kept[:-1] else b"")
    return Damaged(kept, None if clean else len(kept) - 1, end=b"")


def of_another_type(rng, rows, whole):
    at, found = pick(rng, rows)
    name = rng.choice([name for name in ALLOWED if name != "status"])
    others: list[Any] = [None, True, 3, 2.5, "many", [1], {"a": 1}, "", "3"]
    value = rng.choice(others)
    allowed = ALLOWED[name] | ({int} if float in ALLOWED[name] else set())
    found[name] = value
    speed = name in SPEEDS and value is not None and found["status"] in ("absent", "disagrees")
    if type(value) in allowed and not speed:
        return whole.good(at, line(found))
    return whole.bad(at, line(found), name)


def of_a_law_that_is_broken(rng, rows, whole):
    at, found = pick(rng, rows)
    name = rng.choice(["status", *SPEEDS])
    if name == "status":
        found[name] = rng.choice(["passed", "", "AGREES", "agrees ", "disagree", "none", None, 1, ["agrees"]])
    else:
        found["status"] = rng.choice(["disagrees", "error", "mistrusted", "missing", "absent"])
        found |= dict.fromkeys(SPEEDS) | {name: rng.random()}
    return whole.bad(at, line(found), name)


def lacking_a_column(rng, rows, whole):
    at, found = pick(rng, rows)
    if rng.random() < 0.2:  # as a suite of before wrote it
        for name in (name for names in EDITIONS[rng.randrange(4) :] for name in names):
            del found[name]
        return whole.good(at, line(found))
    name = rng.choice(list(found))
    del found[name]
    return whole.bad(at, line(found), name)


def with_a_column_more(rng, rows, whole):
    """Rows of a later version, which has all of our columns; a row without one of them is damaged."""
    lacking = {column.name: column.default for column in fields(Row)} | {"schema": MEANING}
    rows = [{**lacking, **each} for each in rows]
    whole = Damaged([line(each) for each in rows])
    at, found = pick(rng, rows)
    name = rng.choice(["colour", "on", "", "Bits", "größe", "a b"])
    value = rng.choice(["red", 3, 2.5, True, None, 2**62, [1], {"a": {"b": 2}}, math.nan, math.inf])
    found[name] = value
    fine = not isinstance(value, list | dict) and (not isinstance(value, float) or math.isfinite(value))
    if not fine:
        return whole.bad(at, line(found), name if name == "colour" else None)
    every = rng.random() < 0.5
    return Damaged([line({**each, name: value}) for each in rows]) if every else whole.good(at, line(found))


def out_of_range(rng, rows, whole):
    at, found = pick(rng, rows)
    name = rng.choice([*WHOLE, *REAL])
    literals = [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        "-1e999",
        "1" + "0" * 400,
        "9" * 5000,
        "-" + "9" * 30,
    ]
    legal = [str(2**53 - 1), str(-(2**53)), "0", "-1"]
    literals += [str(2**63), str(-(2**63) - 1)] if name in WHOLE else [str(2**53 + 1), "1e309"]
    legal += [str(2**63 - 1), str(-(2**63)), str(2**53 + 1)] if name in WHOLE else ["1e308", "5e-324", "-0.0"]
    value = rng.choice([*literals, *legal])
    found["status"] = "agrees"
    text = line({**found, name: "HERE"}).replace(b'"HERE"', value.encode())
    return whole.good(at, text) if value in legal else whole.bad(at, text, name)


def told_twice(rng, rows, whole):
    at, found = pick(rng, rows)
    if rng.random() < 0.2:
        return Damaged([*whole.lines, whole.lines[at]])  # a cell that was judged again
    name = rng.choice(list(found))
    value = rng.choice([found[name], None, "other", 1.5])
    more = f"{json.dumps(name)}{rng.choice([':', ' : ', ': '])}{json.dumps(value)}".encode()
    before, after = (
        (b"{", b", " + whole.lines[at][1:]) if rng.random() < 0.5 else (whole.lines[at][:-1] + b",", b"}")
    )
    return whole.bad(at, before + more + after, name)


def in_another_encoding(rng, rows, whole):
    at, found = pick(rng, rows)
    found["why"] = "größer als erlaubt: 3 µs"
    raw = json.dumps(found, ensure_ascii=False)
    how = rng.choice(["utf-8", "latin-1", "utf-16", "utf-16-le", "utf-8-sig", "file-16", "half", "file-sig"])
    if how == "utf-8":
        return whole.good(at, raw.encode())
    if how == "half":
        return whole.bad(at, line({**found, "why": "half \ud83d of it"}), "why")
    if how.startswith("file"):
        text = whole.bytes.decode().encode("utf-16" if how == "file-16" else "utf-8-sig")
        return Damaged(text.split(b"\n"), 0, end=b"")
    return whole.bad(at, raw.encode(how), "why" if how == "latin-1" else None)


def with_other_line_ends(rng, rows, whole):
    at = rng.randrange(len(rows))
    lines = whole.lines
    return rng.choice(
        [
            Damaged([one + b"\r" for one in lines], 0),
            Damaged([b"\r".join(lines)], 0),
            whole.bad(at, lines[at] + b"\r"),
            whole.bad(at, b"\r" + lines[at]),
            whole.bad(at, lines[at].replace(b", ", b",\r", 1)),
            Damaged([*lines[:at], b"", *lines[at:]], at),
            whole.bad(at, b" \t"),
            Damaged([*lines, b""], len(lines)),
            Damaged(lines, end=b""),
            whole.bad(at, lines[at] + rng.choice([b"\x0b", b"\x0c", b"\x85", b"\x00", "\u2028".encode()])),
        ]
    )


def nested(rng, rows, whole):
    at, found = pick(rng, rows)
    name, depth = rng.choice(list(found)), rng.choice([1, 2, 50, 1000, 100_000])
    if rng.random() < 0.3:
        text = rng.choice([b"[%s]", b'{"row": %s}', b'"%s"', b"[[%s]]"]) % whole.lines[at]
        return whole.bad(at, text)
    sides = rng.choice([("[", "]"), ('{"a": ', "}")])
    value = sides[0] * depth + "1" + sides[1] * depth
    text = line({**found, name: "HERE"}).replace(b'"HERE"', value.encode())
    return whole.bad(at, text, name if depth < 100 else None)


def several_in_a_line(rng, rows, whole):
    at = rng.randrange(len(rows) - 1)
    if rng.random() < 0.5:
        between = rng.choice([b"", b" ", b",", b", ", b"\t"])
        joined = between.join(whole.lines[at : at + 2])
        return Damaged([*whole.lines[:at], joined, *whole.lines[at + 2 :]], at)
    more = [b"17", b'"x"', b"null", b"true", b"[]", b"{}", b"}", b"nonsense", b"NaN"]
    return whole.bad(at, rng.choice([rng.choice(more), whole.lines[at] + b" " + rng.choice(more)]))


def with_a_byte_changed(rng, rows, whole):
    """One byte changed: the result may be a valid row, which must then be read as it is."""
    text = bytearray(whole.bytes)
    for _ in range(rng.choice([1, 1, 1, 5])):
        at = rng.randrange(len(text))
        how = rng.randrange(3)
        text[at : at + (how != 1)] = (
            b"" if how == 2 else bytes([rng.choice([rng.randrange(256), *b'"{}[],:0e \n'])])
        )
    return bytes(text)


KINDS: list[Callable[..., Any]] = [
    truncated, of_another_type, of_a_law_that_is_broken, lacking_a_column, with_a_column_more, out_of_range,
    told_twice, in_another_encoding, with_other_line_ends, nested, several_in_a_line, with_a_byte_changed,
]  # fmt: skip


def plant(kind, number):
    rng = random.Random(f"{SEED}/{kind.__name__}/{number}")
    rows = honest(rng)
    return kind(rng, rows, Damaged([line(each) for each in rows]))


def plainly(text: bytes) -> dict[Any, dict[str, Any]]:
    """The rows as Python's json reads them, by cell; the last row of each cell."""
    found = [json.loads(each) for each in text.split(b"\n") if each]
    return {(each["mode"], each["seed"], each["backend"]): each for each in found}


def same(read: Any, written: Any) -> bool:
    if written is None:
        return bool(pd.isna(read))
    return bool(read == written) and isinstance(read, str) == isinstance(written, str)


def is_whole(frame: pd.DataFrame, text: bytes) -> None:
    """Whether the frame has every row of the text, with all of its values."""
    rows = list(plainly(text).values())
    assert len(frame) == len(rows)
    for written in rows:
        mine = frame[(frame["mode"] == written["mode"]) & (frame["seed"] == written["seed"])]
        (read,) = mine[mine["backend"] == written["backend"]].to_dict("records")
        for name, value in written.items():
            assert same(read[name], value), f"{name}: got {read[name]!r}, should be {value!r}"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_damaged_file_is_read_whole_or_refused_with_file_line_and_column(kind, tmp_path):
    for number in range(FILES):
        file, hint = tmp_path / f"{number}.jsonl", f"DAMAGE_SEED={SEED}, {kind.__name__} {number}"
        damaged = plant(kind, number)
        text = damaged if isinstance(damaged, bytes) else damaged.bytes
        file.write_bytes(text)
        try:
            frame, said = load(file), ""
        except ValueError as error:
            frame, said = None, str(error)
        if frame is not None:
            assert isinstance(damaged, bytes) or damaged.at is None, f"{hint}: was read"
            try:
                is_whole(frame, text)
            except AssertionError as error:
                raise AssertionError(f"{hint}: {error}") from None
            continue
        found = re.match(rf"rows {re.escape(str(file))}, line (\d+)(?:, ([^:]+))?: got .+, should .+; ", said)
        assert found and "\n" not in said and said.isprintable() and len(said) < 600, f"{hint}: {said}"
        if not isinstance(damaged, bytes):
            assert damaged.at is not None, f"{hint}: {said}"
            assert int(found[1]) == damaged.at + 1, f"{hint}: {said}"
            assert damaged.column in (None, found[2]), f"{hint}: {said}"


@pytest.mark.parametrize("kind", KINDS[:-1], ids=lambda kind: kind.__name__)
def test_leniently_the_bad_line_alone_is_left_out_and_counted(kind, tmp_path):
    for number in range(5):
        hint, file, heard = f"DAMAGE_SEED={SEED}, {kind.__name__} {number}", tmp_path / f"{number}.jsonl", []
        damaged = plant(kind, number)
        file.write_bytes(damaged.bytes)
        frame = load(file, lenient=True, told=heard.append)
        whole = damaged.at is None
        assert whole is (not heard) is ("left_out" not in frame.attrs), hint
        if damaged.bytes.count(b"\n") != damaged.bytes.count(b"}\n") or whole or b"\r" in damaged.bytes:
            continue  # of more than one line, or of what is no text at all
        good = [each for at, each in enumerate(damaged.lines) if at != damaged.at]
        is_whole(frame, b"\n".join(good))
        assert frame.attrs["left_out"] == 1 and heard[0].startswith("1 line left out, the first: rows "), hint


def test_three_hundred_files_are_damaged_and_each_kind_does_damage():
    assert len(KINDS) * FILES == 300
    for kind in KINDS[:-1]:
        assert any(plant(kind, number).at is not None for number in range(FILES)), kind


def test_every_published_row_is_read():
    for file in sorted(path for path in (ROOT / "results").glob("*/*/**/rows.jsonl")):
        assert sum(1 for _ in entries(file)) == file.read_bytes().count(b"\n") > 2000


@pytest.mark.parametrize("value", ["red", 2.5, 7, True, None])
def test_a_later_suites_column_is_kept(tmp_path, value):
    name, file = "colour", tmp_path / "rows.jsonl"
    file.write_bytes(line(row().as_dict()) + b"\n" + line({**row(mode="x").as_dict(), name: value}) + b"\n")
    frame = load(file)
    assert list(frame.columns) == [*(column.name for column in fields(Row)), name]
    assert pd.isna(frame[name][0]) and same(frame[name][1], value)


def test_each_column_that_a_row_lacks_is_named(tmp_path):
    file, whole = tmp_path / "rows.jsonl", row().as_dict()
    for name in whole:
        file.write_bytes(line({each: value for each, value in whole.items() if each != name}) + b"\n")
        with pytest.raises(ValueError, match=rf"line 1, {name}: got no such column, should be "):
            load(file)


@pytest.mark.parametrize("editions", range(len(EDITIONS) + 1))
def test_a_row_of_before_lacks_what_joined_later_and_that_is_empty(tmp_path, editions):
    later = [name for names in EDITIONS[editions:] for name in names]
    file = tmp_path / "rows.jsonl"
    file.write_bytes(
        line({name: value for name, value in row().as_dict().items() if name not in later}) + b"\n"
    )
    (read,) = load(file).to_dict("records")
    empty = [name for name in later if name not in ("schema", "row_id", "bits_lost")]
    assert all(read[name] == "" if name in TEXT else pd.isna(read[name]) for name in empty)
    assert read["bits"] == row().bits


@pytest.mark.parametrize(
    ("name", "fine", "bad"),
    [
        ("seed", [0, 2**53 + 1, 2**63 - 1, -(2**63)], [2**63, -(2**63) - 1, 10**5000, 1.0, None]),
        ("threads", [None, 2], [2.0, True, "2"]),
        ("bytes", [None, 2**53, 2**60, 0.5], [2**53 + 1, 2**63, True]),
        ("bits", [-1, 1.7976931348623157e308, 5e-324], [math.nan, math.inf, -math.inf, "1"]),
    ],
)
def test_a_number_is_read_to_the_last_bit_or_refused(tmp_path, name, fine, bad):
    file = tmp_path / "rows.jsonl"
    for value in (*fine, *bad):
        number = "1" + "0" * 5000 if value == 10**5000 else json.dumps(value)
        file.write_text(json.dumps({**row().as_dict(), name: "HERE"}).replace('"HERE"', number) + "\n")
        if any(value is each for each in fine):
            assert same(load(file)[name][0], value), value
        else:
            with pytest.raises(ValueError, match=rf"line 1, {name}: got .*, should be a (whole )?number"):
                load(file)


@pytest.mark.parametrize("colon", [":", "\\u003a", "\\u003A"])
def test_a_name_that_is_there_twice_is_refused_however_a_text_writes_its_colon(tmp_path, colon):
    file = tmp_path / "rows.jsonl"
    once = json.dumps({**row().as_dict(), "why": "HERE"}).replace("HERE", f"of{colon} three")
    file.write_text(once + "\n")
    assert load(file)["why"][0] == "of: three"
    file.write_text(once[:-1] + ', "mode": "other"}\n')
    with pytest.raises(ValueError, match="line 1, mode: got the name twice in one object"):
        load(file)


def test_a_run_that_is_continued_may_have_a_line_cut_off_and_no_other(tmp_path):
    file, whole = tmp_path / "rows.jsonl", line(row().as_dict()) + b"\n"
    check(tmp_path)  # of a run that was killed before its first row
    for text in (b"", b'{"case": "a', whole, whole + b'{"case'):
        file.write_bytes(text)
        check(tmp_path)
    file.write_bytes(whole + b'{"case": "a"}\n' + whole)
    with pytest.raises(ValueError, match=r"line 2, run_id: got no such column, .*; restore .* a new folder"):
        check(tmp_path)


def test_a_run_of_a_later_suite_is_continued_by_this_one(tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_bytes(line({**row().as_dict(), "colour": "red"}) + b"\n")
    (found,) = Run(tmp_path, "", "", "").rows()
    assert Row(**found) == row()


def test_a_column_of_an_older_row_that_has_another_name_is_no_later_suites(tmp_path):
    for number, renamed in ((1, "settings"), (2, "limit")):
        newer = {name for names in EDITIONS[number + 1 :] for name in names}
        known = {name: value for name, value in row().as_dict().items() if name not in newer}
        (tmp_path / "rows.jsonl").write_text(json.dumps(known) + "\n")
        assert len(load(tmp_path)) == 1
        odd = {name if name != renamed else f"{renamed}z": value for name, value in known.items()}
        (tmp_path / "rows.jsonl").write_text(json.dumps(odd) + "\n")
        with pytest.raises(ValueError, match=r"line 1, \w+: got no such column"):
            load(tmp_path)


def test_files_of_one_size_that_begin_alike_are_two(tmp_path):
    for name, seed in (("a", 1), ("b", 2)):
        (tmp_path / name).mkdir()
        rows = [row(mode=f"m{number:02}").as_dict() for number in range(60)] + [row(seed=seed).as_dict()]
        (tmp_path / name / "rows.jsonl").write_text("".join(json.dumps(each) + "\n" for each in rows))
    assert (tmp_path / "a" / "rows.jsonl").stat().st_size > BEGINNING
    assert len(files(tmp_path)) == 2


def test_a_path_that_no_system_takes_is_refused():
    with pytest.raises(ValueError, match="should be a rows file"):
        load("\ud800")


TOGETHER = """
import sys
import pandas as pd
from bench.store import rows

asked, usual, rows.LARGE = [], rows.pool, 0
rows.pool = lambda jobs: asked.append(jobs) or usual(jobs)
told = asked.append
alone, together = (rows.load(sys.argv[1], lenient=True, told=told, jobs=jobs) for jobs in (1, 2))
pd.testing.assert_frame_equal(alone, together)
assert alone.attrs == together.attrs == {"left_out": 1} and asked[1] == 2 and len(together) == 12
assert len(set(map(id, together["contender"]))) == 1
assert together["later"].dropna().to_dict() == {0: 0, 5: 1, 10: 2}
try:
    rows.load(sys.argv[1], jobs=2)
except ValueError as error:
    print(error)
"""


def test_several_processes_read_what_one_reads(tmp_path):
    """Rows, their order, columns of a later version, one copy of each text, and what is left out.

    In a process of its own, because a pool leaves one that tracks its resources.
    """
    for number in range(3):
        folder = tmp_path / f"202601{number + 10}T000000Z-x"
        folder.mkdir()
        mine = [row(run_id=folder.name, case=f"some {each}").as_dict() for each in range(4)]
        mine[number]["later"] = number
        (folder / "rows.jsonl").write_bytes(b"\n".join([*map(line, mine), b"damage\n" * (number == 1)]))
    command = [sys.executable, "-c", TOGETHER, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0 and "line 5: got b'damage" in done.stdout, done.stderr


def test_reading_leaves_the_garbage_collector_as_it_was(tmp_path):
    (tmp_path / "rows.jsonl").write_bytes(line(row().as_dict()) + b"\ndamage\n")
    for on in (True, False):
        (gc.enable if on else gc.disable)()
        try:
            with pytest.raises(ValueError, match="line 2"):
                load(tmp_path)
            assert gc.isenabled() == on
        finally:
            gc.enable()
