"""JUnit's XML, which services for continuous integration read."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from bench.store.row import plain


@dataclass(frozen=True)
class TestCase:
    """One test case: what it is of, its name, and a text if it failed or if nothing is known."""

    __test__ = False  # not for pytest

    group: str
    name: str
    failure: str = ""
    skipped: str = ""


def junit(name: str, cases: Sequence[TestCase], seconds: float = 0.0) -> str:
    """The document of one suite with these cases. Control characters in their texts are replaced."""
    suite = ElementTree.Element(
        "testsuite",
        name=name,
        tests=str(len(cases)),
        failures=str(sum(bool(each.failure) for each in cases)),
        errors="0",
        skipped=str(sum(bool(each.skipped) for each in cases)),
        time=f"{seconds:.3f}",
    )
    for each in cases:
        case = ElementTree.SubElement(
            suite, "testcase", classname=plain(f"gaugeblock.{each.group}"), name=plain(each.name), time="0"
        )
        if text := each.failure:
            failure = ElementTree.SubElement(case, "failure", message=_first(text), type="regression")
            failure.text = "\n".join(plain(line) for line in text.split("\n"))
        elif text := each.skipped:
            ElementTree.SubElement(case, "skipped", message=_first(text))
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _first(text: str) -> str:
    return plain(text.split("\n")[0])
