"""The verdict: what it rejects, what it accepts, and what must not change it."""

import re
from dataclasses import replace

import numpy as np
import pytest

from bench.noise import P
from bench.tolerance.spread import Expected, spread
from bench.verdict.compare import Agreement, compare
from bench.verdict.errors import GATE
from reference.attention import attention

F = np.float32


def softmax(x, W):
    e = np.exp(x @ W - (x @ W).max(axis=1, keepdims=True))
    y = e / e.sum(axis=1, keepdims=True)
    return {"y": y, "loss": -np.log(y[:, 0]).mean()}


def given(seed=0, n=12):
    g = np.random.default_rng(seed)
    return g.standard_normal((n, 30)).astype(F), g.standard_normal((30, 8)).astype(F)


def expected_of(x, W, dtype="float32", worst=False):
    return spread(softmax, (x, W), dtype=dtype, seed=3, worst=worst)


def honest(x, W):
    return {name: np.asarray(value) for name, value in softmax(x, W).items()}


@pytest.fixture
def pair():
    x, W = given()
    return honest(x, W), expected_of(x, W)


def verdict(got, expected, dtype="float32", worst=None):
    agreement = compare(got, expected, dtype=dtype, worst=worst)
    assert isinstance(agreement, Agreement)
    assert (agreement.why == "") == (agreement.status == "agrees")
    assert "\n" not in agreement.why
    return agreement


@pytest.mark.parametrize("seed", range(10))
def test_an_honest_run_agrees(seed):
    x, W = given(seed)
    found = verdict(honest(x, W), expected_of(x, W))
    assert found.status == "agrees" and found.z_rms < GATE and found.z_worst < 1
    assert 22 < found.bits <= 24 and found.worst.startswith(("y[", "loss"))


def test_a_shape_is_compared_first(pair):
    got, expected = pair
    found = verdict(got | {"y": got["y"][None]}, expected)
    assert found.status == "disagrees" and found.why == "y has shape (1, 12, 8), should be (12, 8)"


def test_a_dtype_is_compared_exactly(pair):
    got, expected = pair
    found = verdict(got | {"y": got["y"].astype(float)}, expected)
    assert found.status == "disagrees" and found.why == "y has dtype float64, should be float32"


def test_a_missing_name_disagrees(pair):
    got, expected = pair
    found = verdict({"y": got["y"]}, expected)
    assert found.status == "disagrees" and found.why == "loss is missing, got y"


def test_of_very_many_names_a_few_are_told(pair):
    found = verdict({f"y{n}": pair[0]["y"] for n in range(9999)}, pair[1])
    assert found.why.endswith("got y0, y1, y2, y3, y4, y5, y6, y7, y8, y9, y10, y11, 9987 more")


def test_a_name_too_many_disagrees(pair):
    got, expected = pair
    found = verdict(got | {"z": got["y"]}, expected)
    assert found.status == "disagrees" and found.why == "z is not among the outputs, should be y, loss"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_compared_exactly(pair, value):
    got, expected = pair
    got["y"][3, 2] = value
    found = verdict(got, expected)
    assert found.status == "disagrees" and f"y[3, 2] is {value}, should be 0." in found.why


def test_a_nan_and_an_infinity_that_should_be_there_agree():
    value = np.array([np.nan, np.inf, 1.0])
    expected = {"y": Expected(value, *[np.array([0, 0, 1e-7])] * 2, np.zeros(3))}
    assert verdict({"y": value.astype(F)}, expected).status == "agrees"
    assert verdict({"y": value.astype(F)[[1, 0, 2]]}, expected).status == "disagrees"
    turned = verdict({"y": np.array([np.nan, -np.inf, 1], F)}, expected)
    assert turned.why == "y[1] is -inf, should be inf; 1 of 3 elements differ in what is infinite"


def test_one_wrong_element_is_found_and_named(pair):
    got, expected = pair
    got["y"][7, 5] *= F(1.0001)
    found = verdict(got, expected)
    assert found.status == "disagrees" and found.worst == "y[7, 5]" and found.z_worst > 10
    assert found.why.startswith(
        f"y[7, 5] is {got['y'][7, 5]:.9g}, should be {expected['y'].value[7, 5]:.9g}: "
    )
    assert found.why.endswith("1 of 97 elements outside") and " times its limit, " in found.why


def test_an_error_of_a_few_roundings_is_found(pair):
    """The limit is not padded: ten units in the last place of an element that rounds by half of one."""
    got, expected = pair
    t = 9
    index = np.unravel_index(np.argmin(expected["y"].sigma / expected["y"].value), got["y"].shape)
    got["y"][index] += F(1.5 * t * expected["y"].sigma[index])
    assert verdict(got, expected).status == "disagrees"


def test_a_systematic_drift_inside_every_limit_is_found():
    x, W = given(n=60)
    expected = expected_of(x, W)
    got = honest(x, W) | {"y": (expected["y"].value + 3.5 * expected["y"].sigma).astype(F)}
    found = verdict(got, expected)
    assert found.status == "disagrees" and found.z_worst < 1 and found.z_rms > GATE
    assert re.match(r"y is \d\.\d+ times as far off as rounding explains", found.why)
    assert "no element of 481 is outside its limit" in found.why


def test_a_few_elements_that_outweigh_the_rest_do_not_trip_the_gate():
    sigma = np.full(200, 1e-9)
    sigma[:3] = 1e-4
    expected = {"y": Expected(np.ones(200), sigma, np.ones(200), np.zeros(200))}
    got = np.ones(200, F)
    got[:3] += F(3e-4)
    found = verdict({"y": got}, expected)
    assert found.status == "agrees" and found.z_rms > GATE


def test_the_gate_needs_more_than_thirty_elements(pair):
    _, expected = pair
    y = expected["y"]
    few = {"y": Expected(y.value[:3], y.sigma[:3], y.sigma1[:3], y.jump[:3])}
    found = verdict({"y": (few["y"].value + 3.5 * few["y"].sigma).astype(F)}, few)
    assert found.status == "agrees" and found.z_rms > GATE


def test_where_rounding_moves_nothing_equality_is_required():
    x = np.arange(1, 7, dtype=F) / 7
    expected = spread(lambda x: x[::2], (x,), dtype="float32", seed=0)
    assert verdict({"": x[::2]}, expected).status == "agrees"
    off = np.nextafter(x[::2], F(9))
    found = verdict({"": off}, expected)
    assert (
        found.status == "disagrees"
        and "where rounding moves nothing" in found.why
        and found.z_worst == np.inf
    )


def test_a_constant_with_more_digits_than_the_dtype_may_be_rounded():
    expected = {"y": Expected(np.array([1 / 3]), np.zeros(1), np.zeros(1), np.zeros(1))}
    assert verdict({"y": np.array([1 / 3], F)}, expected).status == "agrees"


def test_a_subnormal_may_be_flushed_but_nothing_larger(pair):
    value = np.array([3e-39, 3e-37, 1.0])
    expected = {"y": Expected(value, value * 1e-8, value * 0.5, np.zeros(3))}
    assert verdict({"y": np.array([0, 3e-37, 1], F)}, expected).status == "agrees"
    assert verdict({"y": np.array([3e-39, 0, 1], F)}, expected).status == "disagrees"


def test_a_jump_widens_the_limit_of_its_element_alone():
    value, sigma = np.ones(3), np.full(3, 1e-8)
    expected = {"y": Expected(value, sigma, value, np.array([0.5, 0, 0]), 1.0, 1)}
    found = verdict({"y": np.array([1.5, 1, 1], F)}, expected)
    assert found.status == "agrees" and found.undecided == 1 and found.bits == 24
    assert verdict({"y": np.array([1, 1.5, 1], F)}, expected).status == "disagrees"


def test_the_result_of_the_other_choice_is_rounded_too():
    zero = np.zeros(1)
    expected = {"y": Expected(zero, zero, zero, np.array([0.25633]))}
    other = np.array([0.25633], np.float16)  # 0.25635
    assert verdict({"y": other}, expected, "float16").status == "agrees"
    steps = [other + n * np.spacing(other) for n in (1, 4)]  # one operation's rounding may give the first
    found = [verdict({"y": each}, expected, "float16").status for each in steps]
    assert found == ["agrees", "disagrees"]


def test_jumps_of_many_elements_explain_their_errors_together():
    value, sigma = np.ones(100), np.full(100, 1e-8)
    expected = {"y": Expected(value, sigma, value, np.full(100, 0.5), 1.0, 1)}
    found = verdict({"y": np.full(100, 1.4, F)}, expected)
    assert found.status == "agrees" and found.z_rms == pytest.approx(0.8)


def test_the_same_infinity_or_nan_is_no_distance():
    value = np.array([np.inf, np.nan, 1.0])
    expected = {"y": Expected(value, np.full(3, 1e-8), np.full(3, 0.5), np.zeros(3))}
    found = verdict({"y": value.astype(F)}, expected)
    assert (found.status, found.z_worst, found.z_rms, found.bits) == ("agrees", 0, 0, 24)


@pytest.mark.parametrize("scale", [2.0**-900, 2.0**900])
def test_figures_hold_where_squares_would_vanish_or_overflow(scale):
    g = np.random.default_rng(0)
    value, error = g.standard_normal(50), 1e-16 * g.standard_normal(50)
    spread = np.full(50, 1e-16)

    def found(scale):
        expected = {"y": Expected(value * scale, spread * scale, 2.0**53 * spread * scale, np.zeros(50))}
        return verdict({"y": (value + error) * scale}, expected, dtype="float64")

    plain, scaled = found(1.0), found(scale)
    assert plain.status == scaled.status == "agrees" and plain.z_rms > 0.5
    assert [scaled.z_rms, scaled.bits] == pytest.approx([plain.z_rms, plain.bits])


def test_a_sum_in_a_bad_order_is_imprecise_and_a_wrong_one_is_not():
    x = np.random.default_rng(0).random((4, 20000)).astype(F)

    def f(x):
        return x.sum(axis=1)

    expected = spread(f, (x,), dtype="float32", seed=0)
    calls = []

    def worst():
        calls.append(1)
        return spread(f, (x,), dtype="float32", seed=0, worst=True)

    good = {"": f(x)}
    assert verdict(good, expected, worst=worst).status == "agrees" and not calls
    bad = {"": (f(x.astype(float)) * (1 + 1e-4)).astype(F)}
    found = verdict(bad, expected, worst=worst)
    assert found.status == "imprecise" and "inside the worst case of every sum" in found.why
    assert verdict(bad, expected).status == "disagrees"
    assert verdict({"": f(x) * F(1.2)}, expected, worst=worst).status == "disagrees"


# ---- mistrust ----


def test_a_check_that_zeros_would_pass_is_mistrusted():
    value = np.random.default_rng(0).standard_normal(50)
    expected = {"y": Expected(value, np.full(50, 0.5), np.full(50, 1.0), np.zeros(50))}
    found = verdict({"y": value.astype(F)}, expected)
    assert found.status == "mistrusted" and "zeros would pass" in found.why


def test_a_wide_limit_in_some_elements_does_not_hide_zeros_in_the_others():
    value = np.random.default_rng(0).standard_normal(50)
    sigma = np.where(np.arange(50) < 5, 10.0, 1e-3)
    found = {"y": Expected(value, sigma, sigma, np.zeros(50))}
    assert verdict({"y": value.astype(F)}, found).status == "agrees"
    assert verdict({"y": np.zeros(50, F)}, found).status == "disagrees"


def test_a_zero_by_formula_is_known_by_what_float64_leaves_of_it_where_few_bits_leave_much():
    value = np.random.default_rng(0).standard_normal(50)
    one = Expected(value, np.full(50, 1e-2), np.full(50, 1.0), np.zeros(50))
    zero = Expected(value * 1e-16, np.full(50, 0.1), np.full(50, 1.0), np.zeros(50))
    got = {"y": value.astype(F), "bias": np.zeros(50, F)}
    assert verdict(got, {"y": one, "bias": zero}).status == "agrees"
    small = replace(zero, value=value * 1e-8)
    assert verdict(got, {"y": one, "bias": small}).status == "mistrusted"


def test_a_value_without_a_limit_is_mistrusted_before_its_infinity_is_a_fault():
    expected = {"y": Expected(np.ones(2), np.array([np.inf, 0]), np.ones(2), np.zeros(2))}
    assert verdict({"y": np.array([np.inf, 1], F)}, expected).status == "mistrusted"


def test_a_limit_that_is_not_finite_is_no_limit():
    expected = {"y": Expected(np.ones(2), np.array([np.inf, 0]), np.ones(2), np.zeros(2))}
    assert verdict({"y": np.ones(2, F)}, expected).status == "mistrusted"


def test_nothing_to_compare_is_mistrusted():
    assert verdict({}, {}).status == "mistrusted"


def test_an_output_of_exact_zeros_is_trusted():
    expected = spread(lambda x: {"zero": np.triu(x, 9), "y": x * 1.1}, (given()[0],), dtype="float32", seed=0)
    got = {"zero": np.zeros((12, 30), F), "y": given()[0] * F(1.1)}
    got["zero"] = np.triu(given()[0], 9)
    assert verdict(got, expected).status == "agrees"
    only = {"y": Expected(*np.zeros((4, 5)))}
    assert verdict({"y": np.zeros(5, F)}, only).status == "agrees"
    assert verdict({"y": np.full(5, 1e-30, F)}, only).status == "disagrees"


def test_a_zero_by_formula_is_known_by_a_limit_of_the_size_of_rounding():
    """The key's bias of an attention: softmax cancels it, so its gradient is what rounding leaves."""

    def cancels(x):
        p = np.exp(x)
        p = p / p.sum(axis=1, keepdims=True)
        return {"y": p, "bias": (p * (x - (p * x).sum(axis=1, keepdims=True))).sum(axis=1)}

    x = given()[0]
    expected = spread(cancels, (x,), dtype="float32", seed=0)
    got = {name: np.asarray(value) for name, value in cancels(x).items()}
    assert verdict(got, expected).status == "agrees"
    assert verdict(got | {"bias": np.zeros(12, F)}, expected).status == "agrees"
    assert verdict(got | {"bias": np.full(12, 1e-4, F)}, expected).status == "disagrees"


# ---- what must not change the verdict ----


@pytest.mark.parametrize("power", [-10, 7])
@pytest.mark.parametrize("fault", [0, 1e-4])
def test_scaling_by_a_power_of_two_changes_nothing(power, fault):
    x, W = given()
    scale = 2.0**power

    def scaled(x, W):
        return {name: value * scale for name, value in softmax(x, W).items()}

    got = honest(x, W)
    got["y"][2, 3] *= F(1 + fault)
    plain = verdict(got, expected_of(x, W))
    got = {name: value * F(scale) for name, value in got.items()}
    found = verdict(got, spread(scaled, (x, W), dtype="float32", seed=3))
    assert (plain.status, plain.worst) == (found.status, found.worst)
    assert [plain.bits, plain.z_rms, plain.z_worst] == pytest.approx([found.bits, found.z_rms, found.z_worst])


def test_the_order_of_names_changes_nothing(pair):
    got, expected = pair
    turned = compare(dict(reversed(got.items())), dict(reversed(expected.items())), dtype="float32")
    assert turned == compare(got, expected, dtype="float32")


# ---- saboteurs, and bits ----

SABOTEURS = {
    "zeros": lambda y: y * 0,
    "a fifth more": lambda y: y * F(1.2),
    "another row": lambda y: np.roll(y, 1, axis=0),
    "a millionth more": lambda y: y * F(1 + 4e-6),
}


@pytest.mark.parametrize("name", SABOTEURS)
def test_no_saboteur_passes(pair, name):
    got, expected = pair
    assert verdict(got | {"y": SABOTEURS[name](got["y"])}, expected).status == "disagrees"


def short(x, bits):
    mantissa, exponent = np.frexp(x)
    return np.ldexp(np.rint(np.ldexp(mantissa, bits)), exponent - bits)


@pytest.mark.parametrize("n", [16, 256, 4096])
def test_bits_read_the_precision_of_the_products_at_every_length(n):
    """TF32 keeps 11 bits of each factor, and a long sum must not hide it."""
    g = np.random.default_rng(n)
    x, W = g.standard_normal((40, n)).astype(F), g.standard_normal((n, 20)).astype(F)
    expected = spread(lambda x, W: x @ W, (x, W), dtype="float32", seed=0)
    found = verdict({"": (short(x, 11).astype(float) @ short(W, 11)).astype(F)}, expected)
    assert found.status == "disagrees" and 10.5 < found.bits < 12
    assert verdict({"": x @ W}, expected).bits > found.bits + 8


@pytest.mark.parametrize(("dtype", "most"), [("float64", 53), ("float32", 24)])
def test_bits_are_never_more_than_the_dtype_has(dtype, most):
    x, W = given()
    expected = expected_of(x, W, dtype)
    got = {name: one.value.astype(dtype) for name, one in expected.items()}
    assert verdict(got, expected, dtype).bits == most


def test_bits_leave_with_the_error(pair):
    got, expected = pair
    noise = np.random.default_rng(0).standard_normal(got["y"].shape)
    rough = verdict(got | {"y": (got["y"] * (1 + 2.0**-16 * noise)).astype(F)}, expected)
    assert 14 < rough.bits < 18


def exact(value):
    """What rounding moves nowhere, as what relu or a maximum picks."""
    return Expected(value, *np.zeros((3, *value.shape)))


def noisy(value, jump=0.0):
    size = np.abs(value)
    return Expected(value, 2.0**-24 * size, size, np.full(value.shape, jump))


def drawn(n, seed=0):
    return np.random.default_rng(seed).standard_normal(n).astype(F).astype(float)


def changed(value, index, to):
    value = value.copy()
    value[index] = to
    return value


MANY = drawn(10**6)
FEWER = drawn(300, 1)
HALF = np.maximum(drawn(200, 2), 0)  # of relu
WRONG = {  # what was got, what is expected, and the bits that are shown at most
    "relu that gives zeros": (0 * HALF, exact(HALF), 0),
    "relu that gives zeros beside much that is right": ((0 * HALF, MANY), (exact(HALF), noisy(MANY)), 0),
    "zeros that should be none": (HALF + (HALF == 0), exact(HALF), 0),
    "one of zeros alone": (changed(np.zeros(9), 3, 1e-30), exact(np.zeros(9)), 0),
    "the last bit of one picked number": (
        changed(FEWER, 3, np.nextafter(F(FEWER[3]), F(9))),
        exact(FEWER),
        23,
    ),
    "a thousandth of picked numbers": (HALF * 1.001, exact(HALF), 10),
    "one wrong element of a million": (changed(MANY, 777, MANY[777] * 1.01), noisy(MANY), 7),
    "one element of a million outside by little": (changed(MANY, 7, MANY[7] * (1 + 3e-6)), noisy(MANY), 19),
    "a choice that went no way": (FEWER + 3 * np.sign(FEWER), noisy(FEWER, 0.5), -7),
    "drift alone": (FEWER * (1 + 3 * 2.0**-24), noisy(FEWER), 23),
    "drift alone, beside much that is right": (
        (FEWER * (1 + 3 * 2.0**-24), MANY),
        (noisy(FEWER), noisy(MANY)),
        23,
    ),
    "drift of undecided choices": (
        FEWER + 6 * 2.0**-24 * np.abs(FEWER),
        noisy(FEWER, 2.0**-26),
        23,
    ),
    "NaN": (changed(FEWER, 5, np.nan), noisy(FEWER), None),
    "an infinity": (changed(HALF, 5, np.inf), exact(HALF), None),
    "a shape": (FEWER[:9], exact(FEWER), None),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_fails_shows_the_bits_of_what_is_wrong_in_it_and_never_all(kind):
    got, expected, most = WRONG[kind]
    got, expected = (each if isinstance(each, tuple) else (each,) for each in (got, expected))
    found = verdict(
        {f"y{n}": y.astype(F) for n, y in enumerate(got)}, {f"y{n}": y for n, y in enumerate(expected)}
    )
    assert found.status == "disagrees"
    if most is None:
        assert found.bits is None
    else:
        assert most - 1.5 < found.bits <= min(most + 0.5, 23)
        assert f"{found.bits:.1f} bits" in found.why


def test_what_is_imprecise_shows_no_full_bits_either():
    wide = {"y": Expected(FEWER, 9 * np.abs(FEWER), np.abs(FEWER), 0 * FEWER)}
    found = verdict({"y": (FEWER * (1 + 3 * 2.0**-24)).astype(F)}, {"y": noisy(FEWER)}, worst=lambda: wide)
    assert found.status == "imprecise" and found.bits <= 23


@pytest.mark.parametrize("seed", range(20))
def test_what_agrees_has_the_bits_of_all_elements_that_rounding_moves(seed):
    """Whatever the mix of elements: that round, that do not, that are undecided, and that are not finite."""
    g = np.random.default_rng(seed)
    got, expected, squares, counted = {}, {}, 0.0, 0
    for n in range(g.integers(1, 5)):
        value = g.standard_normal(g.integers(1, 90)).astype(F).astype(float)
        moves, undecided, lost = (g.random(value.shape) < p for p in (0.7, 0.1, 0.05))
        sigma1 = np.where(moves, np.abs(value) * g.uniform(0.5, 2, value.shape), 0)
        value[lost] = np.inf
        error = 2.0**-24 * sigma1 * g.uniform(-1, 1, value.shape)
        error[lost] = 0
        expected[f"y{n}"] = Expected(value, 2.0**-24 * sigma1, sigma1, np.where(moves & undecided, 0.1, 0))
        got[f"y{n}"] = (value + error).astype(F)
        usual = moves & ~undecided & ~lost
        squares += np.sum(((got[f"y{n}"][usual] - value[usual]) / sigma1[usual]) ** 2)
        counted += np.count_nonzero(usual)
    found = verdict(got, expected)
    assert found.status == "agrees"
    assert found.bits == pytest.approx(min(24, -0.5 * np.log2(squares / counted)) if squares else 24)


def test_the_chance_of_a_false_alarm_is_one_constant():
    assert P == 1e-6


# ---- planted faults ----


def attend(q, k, v, scale=0.25, dropped=None, width=24):
    """Attention in float64 with faults, rounded to float32 at the end: the fault is the only error."""
    s = q @ k.swapaxes(-1, -2) * scale
    if dropped is not None:
        s[..., dropped] = -np.inf
    e = np.exp(s - s.max(axis=-1, keepdims=True))
    return (short(e / e.sum(axis=-1, keepdims=True), width) @ v).astype(F)


FAULTS = {
    "a scale off by a millionth": {"scale": (1 + 1e-6) / 4},
    "a key too few": {"dropped": 31},
    "probabilities in bfloat16": {"width": 8},
    "probabilities in float16": {"width": 11},
    "a smaller width under the root": {"scale": 1 / np.sqrt(15)},
}


@pytest.mark.parametrize("name", [None, *FAULTS])
def test_a_planted_fault_in_attention_is_found(name):
    q, k, v = np.random.default_rng(0).standard_normal((3, 2, 3, 32, 16)).astype(F)
    expected = spread(lambda q, k, v: {"y": attention(q, k, v)}, (q, k, v), dtype="float32", seed=0)
    wide = (each.astype(float) for each in (q, k, v))
    found = verdict({"y": attend(*wide, **FAULTS.get(name, {}))}, expected)
    assert found.status == ("disagrees" if name else "agrees")
