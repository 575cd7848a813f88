"""The published gates, and the workflows, are read by a parser of their format."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from markdown_it import MarkdownIt

from bench.gate.decide import ANSWERS
from bench.store.row import Row

ROOT = Path(__file__).parent.parent.parent
GATES = sorted(ROOT.glob("results/*/*-gate-*.json"))
RULES = {"newest", "change"}  # the jobs of a workflow


def test_there_are_two():
    assert len(GATES) >= 2


@pytest.mark.parametrize("file", GATES, ids=lambda file: file.stem)
def test_a_published_gate_says_the_same_in_every_format(file):
    told = json.loads(file.read_text(encoding="utf-8"))
    cells = told["cells"]
    assert cells and {each["speed"]["answer"] for each in cells if each["speed"]} <= set(ANSWERS)
    for each in cells:
        for row in filter(None, each["rows"].values()):
            Row(**row)
    (suite,) = ElementTree.parse(file.with_suffix(".xml")).getroot().iter("testsuite")
    assert [each.get("name") for each in suite.iter("testcase")] == [each["cell"] for each in cells]
    assert int(suite.get("tests")) == len(cells) == len(list(suite.iter("testcase")))
    assert int(suite.get("failures")) == sum(each["regressed"] for each in cells)
    text = file.with_suffix(".md").read_text(encoding="utf-8")
    for sentence in told["sentences"]:
        assert sentence.split(" (")[0] in text
    assert widths(text), "the tables"


def widths(text):
    """The columns of each table; every line of one has as many."""
    found = []
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    for at, token in enumerate(tokens):
        if token.type == "tr_open":
            end = next(n for n, each in enumerate(tokens[at:], at) if each.type == "tr_close")
            found.append(sum(each.type in ("th_open", "td_open") for each in tokens[at:end]))
    return found


def test_the_workflows_are_valid_and_call_the_gate():
    github = yaml.safe_load((ROOT / "docs/ci/github.yml").read_text(encoding="utf-8"))
    assert set(github["jobs"]) == RULES
    for job in github["jobs"].values():
        assert (
            job["runs-on"]
            and job["timeout-minutes"]
            and all({"uses", "run"} & set(step) for step in job["steps"])
        )
        assert any("gaugeblock gate" in step.get("run", "") for step in job["steps"])
    gitlab = yaml.safe_load((ROOT / "docs/ci/gitlab.yml").read_text(encoding="utf-8"))
    for name in RULES:
        assert gitlab[name]["extends"] in gitlab and gitlab[name]["rules"]
        assert any("gaugeblock gate" in line for line in gitlab[name]["script"])


def test_the_workflow_of_the_pages_is_valid():
    (job,) = yaml.safe_load((ROOT / "docs/ci/pages.yml").read_text(encoding="utf-8"))["jobs"].values()
    assert "gaugeblock report results/ --to site/" in [step.get("run") for step in job["steps"]]


@pytest.mark.parametrize("name", ["github.yml", "gitlab.yml"])
def test_every_option_of_a_workflow_exists(name):
    import re

    from typer.main import get_command

    from bench import cli

    gate = get_command(cli.app).commands["gate"]
    known = {option for parameter in gate.params for option in parameter.opts}
    text = (ROOT / "docs/ci" / name).read_text(encoding="utf-8")
    calls = re.findall(r"gaugeblock gate((?:\s+(?!-?\s*name:|- )\S+)+)", text)
    used = {word for call in calls for word in call.split() if word.startswith("--")}
    assert len(calls) == 2 and used and used <= known
