"""Spreads that are carried: what a file keeps, what is derived anew, and the faults that are still found."""

import pickle
from dataclasses import fields, replace

import numpy as np
import pytest

from bench import noise, pages
from bench.noise import multiple
from bench.tolerance import expected
from bench.tolerance.carried import ALL, NONE, NONZERO, SOME, load, save, which
from bench.tolerance.limit import fixed_by_formula, limit_of
from bench.tolerance.spread import Expected
from bench.tree import flatten
from bench.verdict.compare import compare
from tests.carrying import HOW, REDUCED, cell_of, few

KEY = "a key"


def formula(x, W, indices):
    """Elements that are moved, never, where they are not zero, here and there, and by a choice."""
    y = x @ W
    return {
        "all": y,
        "none": x[indices],
        "nonzero": np.where(x > 0, x * 1.1, 0),
        "some": np.concatenate([x, np.exp(x)]),
        "jump": np.where(y > np.max(y, axis=-1, keepdims=True) * 0.5, y, -y),
        "loss": np.mean(np.square(y)),
        "bias": np.sum(np.exp(y), axis=0),
    }


def trees(rows=60):
    rng = np.random.default_rng(0)
    x, W = rng.standard_normal((rows, 32)), rng.standard_normal((32, 24))
    W[:, 1] = W[:, 0] + W[:, 0] * 2e-8  # two products that hardly differ
    return x.astype(np.float32), W.astype(np.float32), np.arange(rows)[::-1]


def values():
    x, W, indices = trees()
    found = formula(x.astype(np.float64), W.astype(np.float64), indices)
    return {path: np.asarray(y, dtype=np.float64) for path, y in flatten(found).items()}


@pytest.fixture(scope="module")
def found():
    got = few(formula, trees(), 6)
    jump = np.zeros((60, 24))
    jump[3, 5], jump[59, 23] = 0.25, 1e-3
    return got | {"jump": replace(got["jump"], jump=jump, undecided=2)}


def same(one, other, rtol=0.0):
    for each in fields(Expected):
        np.testing.assert_allclose(
            getattr(one, each.name), getattr(other, each.name), rtol, err_msg=each.name
        )


def test_a_file_gives_the_same_limits(found, tmp_path):
    save(path := tmp_path / "new" / "one.npz", KEY, found)
    again, right = load(path, KEY), values()
    assert list(again) == list(found)
    for name, one in found.items():
        same(again[name].expected(right[name]), one.expected(right[name]), rtol=0.06)
        assert np.array_equal(again[name].sigma.variances, one.sigma.variances)
    save(path, KEY, again)  # what is packed once is kept bit by bit
    for name, one in load(path, KEY).items():
        same(one.expected(right[name]), again[name].expected(right[name]))
    assert [each.name for each in path.parent.iterdir()] == ["one.npz"]


def test_each_kind_of_tensor_is_in_the_file(found):
    kinds = {name: one.moved for name, one in found.items()}
    assert kinds["none"] == NONE and kinds["nonzero"] == NONZERO and kinds["all"] == ALL
    assert kinds["some"] == SOME and found["some"].bits.size == 60 * 2 * 32 / 8


def test_elements_that_rounding_never_moves_stay_exact(found):
    right = values()
    for name, still in (
        ("none", np.ones((60, 32), bool)),
        ("nonzero", right["nonzero"] == 0),
        ("some", np.arange(120)[:, None].repeat(32, 1) < 60),
    ):
        one = found[name].expected(right[name])
        assert not one.sigma[still].any() and not one.sigma1[still].any(), name
        assert (one.sigma[~still] > 0).all() and (one.sigma1[~still] > 0).all(), name
        assert fixed_by_formula(one)[still].all()
        assert not limit_of(one, fixed_by_formula(one), 1000, "float32")[still].any()


def test_a_jump_is_added_to_the_limit_of_its_element_only(found):
    one = found["jump"].expected(values()["jump"])
    assert one.undecided == 2 and np.count_nonzero(one.jump) == 2
    jump = replace(one, jump=0 * one.jump)
    more = limit_of(one, fixed_by_formula(one), 1000, "float32") - limit_of(
        jump, fixed_by_formula(one), 1000, "float32"
    )
    assert np.allclose(more, one.jump, atol=1e-12)


@pytest.mark.parametrize(
    ("moved", "value", "word"),
    [
        ([1, 1, 1], [1, 0, 2], ALL),
        ([0, 0, 0], [1, 0, 2], NONE),
        ([1, 0, 1], [1, 0, 2], NONZERO),
        ([1, 1, 0], [1, 0, 2], SOME),
        ([0, 0, 0], [0, 0, 0], NONE),
        ([], [], ALL),
    ],
)
def test_which_elements_are_moved_is_a_word_or_a_bit_for_each(moved, value, word):
    moved = np.array(moved, dtype=bool)
    found, bits = which(moved, np.array(value, dtype=float))
    assert found == word and bits.size == (word == SOME)
    if word == SOME:
        assert np.array_equal(np.unpackbits(bits, count=moved.size), moved)


@pytest.mark.parametrize("draws", [3, 6])
@pytest.mark.parametrize("name", ["loss", "bias"])
def test_a_small_tensor_says_from_how_many_draws_it_is_known_and_has_as_wide_limits(name, draws):
    one = few(formula, trees(), draws)[name]
    value = values()[name]
    got = one.expected(value)
    assert got.draws == one.sigma.draws if name == "loss" else got.draws <= draws * value.size
    if name == "loss":
        assert got.draws == draws
    fixed = fixed_by_formula(got)
    limits = limit_of(got, fixed, 1000, "float32") - 2.0**-24 * np.abs(value)
    full = limit_of(replace(got, draws=noise.FULL), fixed, 1000, "float32") - 2.0**-24 * np.abs(value)
    assert np.allclose(limits / full, multiple(1000, got.draws) / multiple(1000, noise.FULL))
    assert (limits > full).all()


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def overwrite(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 3 : len(data) // 3 + 64] = bytes(64)
    path.write_bytes(data)


def empty(path):
    path.write_bytes(b"")


class Planted:
    """Pickled, it writes a file when it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def pickled(path):
    with np.load(path) as members:
        arrays = dict(members)
    arrays["0/sigma/variances"] = np.array([Planted(path.with_name("planted"))], dtype=object)
    np.savez(path, **arrays)


def all_pickled(path):
    path.write_bytes(pickle.dumps(Planted(path.with_name("planted"))))


def without(path):
    with np.load(path) as members:
        arrays = {name: member for name, member in members.items() if name != "0/sigma/starts"}
    np.savez(path, **arrays)


def foreign(path):
    with np.load(path) as members:
        np.savez(path, **dict(members) | {"key": np.array("of other code")})


DAMAGES = (cut, overwrite, empty, pickled, all_pickled, without, foreign)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_file_that_is_not_whole_or_not_ours_is_none(found, tmp_path, damage):
    save(path := tmp_path / "one.npz", KEY, found)
    damage(path)
    assert load(path, KEY) is None
    assert not (tmp_path / "planted").exists()


def test_a_file_of_another_key_or_none_at_all_is_none(found, tmp_path):
    save(path := tmp_path / "one.npz", KEY, found)
    assert load(path, "another") is None and load(tmp_path / "two.npz", KEY) is None


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(found, tmp_path, monkeypatch):
    save(path := tmp_path / "one.npz", KEY, found)
    before = path.read_bytes()

    def full(file, **arrays):
        file.write_bytes(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(OSError, match="no space"):
        save(path, KEY, found)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


CELL = cell_of("linear-regression", pages.case("linear-regression").headlines[0])


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Where the spreads of a cell are carried, in an empty folder, and in an empty cache."""
    monkeypatch.setenv("GAUGEBLOCK_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "spreads" / "one.npz"
    monkeypatch.setattr(expected, "place", lambda cell, number: path)
    return path


@pytest.fixture
def derived(monkeypatch):
    """How often spreads were derived."""
    calls, real = [], expected.derive_shared

    def derive(cell, number=0, worst=False):
        calls.append(cell)
        return real(cell, number, worst)

    monkeypatch.setattr(expected, "derive_shared", derive)
    return calls


@pytest.mark.parametrize("damage", [cut, pickled, foreign])
def test_a_damaged_file_is_derived_anew_and_then_cached(place, derived, damage):
    save(place, expected.spread_key(CELL), right := expected.derive_shared(CELL))
    damage(place)
    before = place.read_bytes()
    derived.clear()
    first, again = expected.spreads(CELL), expected.spreads(CELL)
    assert len(derived) == 1 and place.read_bytes() == before
    value = expected._values(CELL, 0)
    for name, one in right.items():
        same(first[name].expected(value[name]), one.expected(value[name]))
        same(again[name].expected(value[name]), one.expected(value[name]), rtol=0.06)


def test_a_file_that_is_carried_needs_no_derivation(place, derived):
    save(place, expected.spread_key(CELL), expected.derive_shared(CELL))
    derived.clear()
    assert expected.spreads(CELL) and not derived


def test_a_key_depends_on_the_code_and_the_size(monkeypatch):
    before = expected.spread_key(CELL)
    other = cell_of("perceptron", pages.case("perceptron").headlines[0])
    assert expected.spread_key(other) != before
    monkeypatch.setattr(expected, "_spread_source", lambda page: "changed")
    assert expected.spread_key(CELL) != before


FAULTS = {
    "a wrong last row": lambda y: y[-1:].__imul__(1.001),
    "a dropped block": lambda y: y[y.shape[0] // 2 : y.shape[0] // 2 + 2].__imul__(0),
    "an error of 1e-4 in one feature": lambda y: y[..., 3].__imul__(1 + 1e-4),
    "a row that repeats": lambda y: y[1].__setitem__(..., y[0]),
    "half the precision": lambda y: y.__setitem__(..., y.astype(np.float16)),
}


@pytest.fixture(scope="module", params=["perceptron", "layer-norm", "multi-head-attention", "conv2d"])
def headline(request):
    """The expectation of a headline at reduced size from 6 draws, and what an honest contender gets."""
    cell = cell_of(request.param, pages.case(request.param).headlines[0])
    ((_, function, given),) = expected.formulas(cell)
    shared, plain = few(function, given, 6), flatten(function(*given))
    right = expected._values(cell, 0)
    assert REDUCED[request.param] and HOW["dtype"] == "float32"
    return {path: one.expected(right[path]) for path, one in shared.items()}, plain


def test_what_the_cache_keeps_of_a_spread_is_that_spread_and_never_none():
    """In float32, where the smallest would vanish: an element that rounding moves must not seem fixed."""
    sigma = np.array([0.0, 1e-50, 1e-41, 1e-7, 3.0])
    one = Expected(np.arange(5.0), sigma, 2 * sigma, np.broadcast_to(np.zeros(1), (5,)), 1.5, 7, 9)
    kept = expected._stored({"y": one})
    assert kept["jump/y"].shape == (1,) and kept["sigma/y"].dtype == np.float32
    assert (kept["sigma/y"] > 0).tolist() == [False, True, True, True, True]
    np.testing.assert_allclose(kept["sigma/y"][3:], sigma[3:], rtol=1e-6)
    jumps = expected._stored({"y": replace(one, jump=sigma)})
    assert np.array_equal(jumps["jump/y"], sigma) and jumps["draws/y"] == 9


def test_an_honest_contender_agrees_with_shared_limits(headline):
    one, plain = headline
    found = compare(plain, one, dtype="float32")
    assert found.status == "agrees", found.why


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_found_with_shared_limits(headline, fault):
    one, plain = headline
    for path in ("forward.y", next(path for path in plain if path.startswith("gradient"))):
        got = {name: np.array(y) for name, y in plain.items()}
        FAULTS[fault](got[path])
        assert not np.array_equal(got[path], plain[path])
        assert compare(got, one, dtype="float32").status == "disagrees", path
