"""The gate's own test: what is recorded is read again, gates are composed of it, and rates have intervals."""

import json

import numpy as np
import pytest

from bench.gate import self_test
from bench.gate.decide import LOOKS
from bench.gate.duel import Blocks, Replicate
from bench.gate.self_test import (
    Rate,
    astray,
    asv,
    decisions,
    detected,
    false_alarms,
    live,
    lives,
    mean_5,
    others,
    planted,
    record,
    recorded,
    table,
    wanted,
)
from tests.gating import blocks


def replicates(count, **given):
    rng = np.random.default_rng(0)
    cells = {name: blocks(rng, count, **given) for name in "abc"}
    return [{name: each[number] for name, each in cells.items()} for number in range(count)]


def test_gates_are_composed_of_disjoint_replicates():
    made = decisions(replicates(60))
    assert len(made) >= 5 and sum(each.used for each in made) <= 60
    assert all(each.used in LOOKS and not each.scaled for each in made)
    assert false_alarms(made).times == 0


def test_the_scaled_cell_rotates_and_is_found():
    made = decisions(replicates(200), 1.1)
    assert [each.scaled for each in made[:4]] == ["a", "b", "c", "a"]
    assert detected(made).times == len(made) and astray(made).times == 0
    assert detected(decisions(replicates(200), 1 / 1.1)).times == 0


def test_an_unfinished_gate_is_not_counted():
    assert decisions(replicates(LOOKS[0] - 1)) == [] and decisions([]) == []


def test_a_rate_has_its_binomial_interval():
    assert Rate(0, 100).interval == pytest.approx((0, 0.0362), abs=1e-4)
    assert Rate(100, 100).interval == pytest.approx((0.9638, 1), abs=1e-4)
    assert str(Rate(1, 100)) == "1 of 100 (0.0% to 5.4%)" and str(Rate(0, 0)) == "none"


def test_the_rules_of_others():
    rng = np.random.default_rng(0)
    old = 1 + 0.01 * rng.standard_normal(20)
    assert mean_5(old, 1.06 * old) and not mean_5(old, 1.04 * old)
    assert asv(old, 1.12 * old) and not asv(old, 1.08 * old)
    alarms, hits = others(replicates(40), mean_5, 1.2)
    assert hits == Rate(20, 20) and alarms.of == 20


def test_what_is_recorded_is_continued_and_read_again(monkeypatch, tmp_path):
    rng, seeds = np.random.default_rng(0), []

    def fake(cells, sides, *, threads, seed):
        seeds.append(seed)
        return Replicate({cell: blocks(rng, 1)[0] for cell in cells}, seconds=1.0)

    monkeypatch.setattr(self_test, "replicate", fake)
    monkeypatch.setattr(self_test, "suite", lambda: "0.1.0+gabc1234")
    clock = iter(range(100))
    monkeypatch.setattr(self_test, "monotonic", lambda: next(clock))
    file = tmp_path / "recorded.jsonl"
    for _ in range(2):
        assert record(file, "idle", 3.5, None, lambda text: None) == 3
    assert len(set(seeds)) == 6
    found = recorded(file, "idle")
    assert len(found) == 6 and set(found[0]) == {str(cell) for cell in wanted()}
    assert recorded(file, "loaded") == []
    titles = [each.title for each in table(file)]
    assert titles[0] == "The gate against itself"
    assert "6 sets of 1 s each, recorded by 0.1.0+gabc1234." in table(file)[0].note
    other = json.loads(file.read_text().splitlines()[0]) | {"rounds": 3}
    with file.open("a") as to:
        to.write(json.dumps(other) + "\n")
    assert len(recorded(file, "idle")) == 6, "another budget is not pooled"


def test_live_slowdowns_are_recorded_and_counted(monkeypatch, tmp_path):
    from bench.backends import plugin
    from bench.gate import gate
    from bench.gate.decide import Answer
    from bench.gate.gate import Gate, Told

    asked = []

    def run(cells, sides, **_):
        asked.append((cells[0].contender, sides[1].variables))
        answer = "slower" if len(asked) != 2 else "can't tell"
        told = [Told(cells[0], Answer(answer, 1.1, 1.05, 1.15, 0.04, "wall", 8))]
        return Gate(sides, told, 0.05, 0.0, (0.0, 0.0), 8, 60.0)

    monkeypatch.setattr(gate, "run", run)
    monkeypatch.setattr(plugin, "register", lambda *_, **__: None)
    file = tmp_path / "recorded.jsonl"
    for gates in (2, 1):
        live(file, "idle", None, lambda text: None, gates)
    assert len({contender for contender, _ in asked}) == 3 and asked[0][1] == {"GAUGEBLOCK_DRAG": "0.1"}
    (line,) = table(file)[0].rows
    assert line[:2] == ("idle", "slower by 10%, live") and line[3].startswith("2 of 3 (")
    assert lives(file, "loaded") == [] and recorded(file, "idle") == []


def test_a_process_without_valid_samples_ends_the_recording(monkeypatch, tmp_path):
    nothing = np.empty((3, 0))
    broken = Blocks(nothing, nothing, nothing, "not waited for")
    monkeypatch.setattr(
        self_test, "replicate", lambda cells, *_, **__: Replicate({cell: broken for cell in cells})
    )
    with pytest.raises(RuntimeError, match="not waited for"):
        record(tmp_path / "a", "idle", 1, None, lambda text: None)


def test_a_damaged_record_is_refused(tmp_path):
    file = tmp_path / "recorded.jsonl"
    file.write_text(json.dumps({"state": "asleep"}) + "\n")
    with pytest.raises(ValueError, match="line 1: got"):
        recorded(file, "idle")


def test_the_cells_are_twelve_of_numpy_and_torch():
    found = wanted()
    assert len(found) == 12 and {cell.backend for cell in found} == {"numpy", "torch"}
    assert len({cell.case for cell in found}) == 6


def test_planted_losses_of_bits_are_found_and_none_in_honest_outputs(monkeypatch):
    mine = [cell for cell in wanted() if cell.backend == "numpy"]
    monkeypatch.setattr(self_test, "wanted", lambda: mine)
    found = planted(1, trials=len(mine) + 1)
    assert found.pop("nothing") == Rate(0, len(mine) + 1)
    assert set(found.values()) == {Rate(len(mine) + 1, len(mine) + 1)} and len(found) == 3
