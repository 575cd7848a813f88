"""The published pages in a browser, from the file system: real runs, wide and narrow, light and dark."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

from bench.machine.records import key
from bench.report.prices import Price
from bench.site.write import publish
from bench.store.row import STATUSES
from tests.report.test_compare import run
from tests.report.test_hardware import ran
from tests.rows import MACHINE, row, timed

ROOT = Path(__file__).parent.parent.parent
RUNS = [
    ROOT / "results" / "amd-epyc-8dea73c4" / "2026-11-29",
    ROOT / "results" / "amd-epyc-589bd1b6" / "2026-11-28-releases" / "newest-3.11",
]
EVIL = "<img src=x onerror=\"document.title='evil'\"> **bold** [a](javascript:alert(1)) =1+1"
TEXTS = (
    "case option regime size contender mode why source worst limit versions version package command checksum "
    "precision settings suite unit accumulator series bound judged lane isa backend device dtype direction"
)
SCREENS = [(1280, "light"), (390, "dark")]  # what fits depends on the width, contrast on the scheme
VIEWS = ("right", "fast", "growth", "cells", "departures", "machines", "words", "f/layer-norm")
CELL = "layer-norm/plain/large-mean/small/flax.linen.LayerNorm/jit/cpu/float32/gradient"


@pytest.fixture(scope="module")
def browser():
    """Chromium; without it these tests fail, because pages that nobody opened are not tested."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert found, "chromium: got none, should be installed: apt install chromium, or set CHROMIUM to its path"
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return publish(RUNS, tmp_path_factory.mktemp("report") / "site")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A report of rows whose every text is hostile."""
    folder = tmp_path_factory.mktemp("hostile")
    texts = dict.fromkeys(TEXTS.split(), EVIL)
    rows = [row(**{**texts, "seed": n, "status": each}) for n, each in enumerate(STATUSES)]
    rows += [timed(1e-3 * n, **{**texts, "seed": 90 + n}) for n in (1, 2)]
    some = ("contender", "mode", "suite", "unit", "version", "settings", "backend")
    there = ran(**dict.fromkeys(some, EVIL))
    folders = [
        run(folder / "run", *rows, *ran()),
        run(folder / "there", *there, machine=MACHINE | {"cpu": EVIL}, name="20260103T000000Z-b"),
    ]
    prices = {key(MACHINE): Price(per_hour=1.0, currency="<b>", note=EVIL)}
    return publish(folders, folder / "site", prices=prices)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    """A report of the speeds of a published run, a repeat, 4 % slower, and of a machine twice as fast."""
    folder = tmp_path_factory.mktemp("fleet")
    sides = (("first", 1.0, ""), ("again", 1.04, ""), ("fast", 0.5, "Fast"))
    for hour, (name, factor, cpu) in enumerate(sides):
        copied(RUNS[0], folder / name, factor, cpu, f"20261130T0{hour}0000Z-{name}")
    return publish([folder / name for name, *_ in sides], folder / "site")


def copied(source, to, factor, cpu, name):
    """The speeds of a run, each so many times longer, of another CPU if it is named."""
    shutil.copytree(source, to)
    machine = json.loads((to / "machine.json").read_text()) | ({"cpu": cpu} if cpu else {})
    (to / "machine.json").write_text(json.dumps(machine))
    found = [json.loads(line) for line in (to / "rows.jsonl").read_text().splitlines()]
    found = [each for each in found if each["median_s"]]
    for each in found:
        each |= {"run_id": name, "machine": key(machine)}
        for column in ("median_s", "low_s", "high_s"):
            each[column] = each[column] and each[column] * factor
        each["throughput"] = each["throughput"] and each["throughput"] / factor
    (to / "rows.jsonl").write_text("".join(json.dumps(each) + "\n" for each in found))


@pytest.fixture
def opened(browser):
    """Open a page at a width and in a colour scheme; an error in its console fails the test."""
    contexts, errors = [], []

    def opened(page, address="", width=1280, scheme="light"):
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        tab.on("pageerror", lambda error: errors.append(str(error)))
        tab.goto(f"{page.as_uri()}{address}")
        drawn(tab)
        return tab

    yield opened
    for context in contexts:
        context.close()
    assert errors == []


def drawn(tab):
    tab.wait_for_function("(location.hash || '#/right') === document.documentElement.dataset.drawn")


def go(tab, address):
    tab.evaluate("address => { location.hash = address }", address)
    drawn(tab)


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_every_view_is_whole_and_can_be_read_by_everybody(site, opened, width, scheme):
    """Nothing is wider than the screen, and axe finds no fault: contrast, names, order, headings."""
    tab = opened(site, "#/right", width, scheme)
    for view in (*VIEWS, f"c/{CELL.replace('/', '%2F')}"):
        go(tab, f"#/{view}")
        wide = tab.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{view} is {wide} wide"
        found = Axe().run(tab, options={"preload": False})
        assert found.violations_count == 0, f"{view}: {found.generate_report()}"


def test_what_departs_stands_first(site, opened):
    tab = opened(site)
    assert tab.locator("h1").inner_text() == "Is the arithmetic right?"
    first = tab.locator(".matrix tbody").nth(1).locator("tr").first
    assert first.locator(".tile.limited, .tile.disagrees, .tile.imprecise, .tile.mistrusted").count() > 0
    assert first.bounding_box()["y"] < 800, "the first departure is seen without scrolling"
    assert "Where something departs" in tab.locator(".matrix .group").first.text_content()


def test_a_table_is_sorted_filtered_and_its_address_opens_the_same_view(site, opened):
    tab = opened(site, "#/cells")
    tab.get_by_role("button", name="bits").click()
    drawn(tab)
    bits = [int(each) for each in tab.locator("td[data-name=bits]").all_inner_texts() if each]
    assert bits and bits == sorted(bits) and "sort=bits" in tab.url
    tab.get_by_role("link", name="known departure", exact=False).first.click()
    drawn(tab)
    assert set(tab.locator("td[data-name=verdict]").all_text_contents()) == {"◐known departure"}
    before = tab.locator("main").inner_text()
    again = opened(site, tab.url.partition("#")[2] and "#" + tab.url.partition("#")[2])
    assert again.locator("main").inner_text() == before


def test_a_search_leaves_what_matches(site, opened):
    tab = opened(site)
    tab.get_by_label("Search formulas").fill("softmax")
    tab.keyboard.press("Enter")
    tab.wait_for_function("location.hash.includes('q=softmax')")
    drawn(tab)
    names = tab.locator(".matrix tbody tr:not(.group) th").all_inner_texts()
    assert names and all("softmax" in name for name in names)


def test_a_cell_is_read_and_the_way_back_leads_back(site, opened):
    tab = opened(site, "#/right?dtype=float32")
    tab.get_by_role("link", name="layer-norm", exact=True).click()
    drawn(tab)
    assert tab.locator("h1").inner_text() == "Layer normalisation"
    tab.locator(".tile.limited").first.click()
    drawn(tab)
    words = tab.locator("main").inner_text()
    for each in (
        "known departure",
        "bits are right",
        "Reproduce",
        "pip install",
        "pytest 'suites/",
        "The code that ran",
    ):
        assert each in words
    link = tab.locator("section.verdict a").first.get_attribute("href")
    assert link.startswith("https://github.com/")
    tab.go_back()
    drawn(tab)
    assert tab.locator("h1").inner_text() == "Layer normalisation"
    tab.go_back()
    drawn(tab)
    assert tab.locator("h1").inner_text() == "Is the arithmetic right?" and "dtype=float32" in tab.url


def test_another_machine_is_chosen(site, opened):
    tab = opened(site)
    before = tab.locator(".cards").inner_text()
    options = tab.get_by_label("Machine").locator("option").all_inner_texts()
    assert len(options) == 2
    now = tab.get_by_label("Machine").evaluate("each => each.selectedIndex")
    tab.get_by_label("Machine").select_option(index=1 - now)
    tab.wait_for_function("location.hash.includes('run=')")
    drawn(tab)
    assert tab.locator(".cards").inner_text() != before


def test_speeds_name_the_fastest_with_its_interval_and_two_runs_stand_side_by_side(site, opened):
    tab = opened(site, "#/fast")
    lines = tab.locator("main table.stack").first.locator("tbody tr")
    assert lines.count() > 10
    assert tab.locator(".track .range").count() > 5
    assert "geometric mean over" in tab.locator(".cards").inner_text()
    ticks = tab.locator(".ticks span").all_inner_texts()
    assert ticks[0] == "1×"


def test_machines_stand_side_by_side_with_their_noise(fleet, opened):
    tab = opened(fleet, "#/machines")
    words = tab.locator("main").inner_text()
    assert "Side by side" in words and "no repeat" in words and "4.0 % (" in words
    means = tab.locator("table.stack").nth(2).locator("tbody tr").first.inner_text()
    assert "fastest of all" in means and "2.0×" in means and "not known" in means
    lines = tab.locator("table.stack").nth(3).locator("tbody tr")
    assert lines.count() > 10 and "2.0×" in lines.first.inner_text()
    tab.get_by_role("link", name="PyTorch", exact=True).click()
    drawn(tab)
    assert "framework=torch" in tab.url and "PyTorch" in lines.first.inner_text()
    tab.get_by_role("button", name="Copy as CSV").click()
    expect(tab.locator("#said")).to_have_text("Copied.")
    assert tab.evaluate("navigator.clipboard.readText()").startswith('"workload","A","B"')


def test_two_runs_are_held_against_each_other_and_repeats_are_noise(fleet, opened):
    tab = opened(fleet, "#/fast?run=20261130T000000Z-first&vs=20261130T020000Z-fast")
    card = tab.locator(".cards .card").nth(2).inner_text()
    assert "The second against the first" in card and "2.0×" in card and "Not both have a repeat" in card
    assert tab.locator("td[data-name='second, times as fast']").first.inner_text() == "2.0×"
    go(tab, "#/fast?run=20261130T000000Z-first&vs=20261130T010000Z-again")
    card = tab.locator(".cards .card").nth(2).inner_text()
    assert "runs of one state" in card and "from 0.962× to 1.04× says nothing" in card


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_machines_side_by_side_are_whole_and_can_be_read(fleet, opened, width, scheme):
    tab = opened(fleet, "#/machines", width, scheme)
    for view in ("machines", "fast?vs=20261130T020000Z-fast"):
        go(tab, f"#/{view}")
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, view
        found = Axe().run(tab, options={"preload": False})
        assert found.violations_count == 0, f"{view}: {found.generate_report()}"


def test_what_is_seen_is_copied(site, opened):
    tab = opened(site, "#/departures")
    tab.get_by_role("button", name="Copy as CSV").click()
    expect(tab.locator("#said")).to_have_text("Copied.")
    text = tab.evaluate("navigator.clipboard.readText()")
    assert text.splitlines()[0] == '"what","verdict","times rounding","bits lost","since","source","cells"'
    tab.get_by_role("button", name="Copy as Markdown").click()
    tab.wait_for_timeout(50)
    text = tab.evaluate("navigator.clipboard.readText()")
    assert text.startswith("| what | verdict |") and "#/departures" in text


def test_dark_and_light_can_be_chosen(site, opened):
    tab = opened(site)
    light = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    tab.get_by_role("button", name="Light or dark").click()
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") != light


def test_an_address_of_nothing_says_so(site, opened):
    for address in ("#/nowhere", "#/f/no-such-formula", "#/c/softmax%2Fnothing", "#/cells?run=none&page=99"):
        tab = opened(site, address)
        assert tab.locator("h1").inner_text() in ("Not here", "All cells")


def clicked(tab, *names):
    """Follow links by their names, the main menu's first; at most two, as a stranger would."""
    assert len(names) <= 2
    for name in names:
        tab.get_by_role("link", name=name, exact=True).first.click()
        drawn(tab)
    return tab.locator("main")


def test_runs_of_one_day_are_told_apart_and_a_command_has_versions_of_the_registry(fleet, site, opened):
    options = opened(fleet, "#/right").get_by_label("Machine").locator("option").all_inner_texts()
    assert len(set(options)) == len(options) == 3 and any("01:00" in each for each in options)
    words = opened(site, f"#/c/{CELL.replace('/', '%2F')}").locator("pre").first.inner_text()
    assert "torch==2." in words and "+cpu" not in words


def test_is_attention_right_in_torch(site, opened):
    tab = opened(site)
    tile = tab.locator(".matrix a[aria-label^='attention, PyTorch, value']")
    assert re.search(r"(agrees|known departure), \d+ of 24 bits", tile.get_attribute("aria-label"))


def test_which_framework_trains_the_lstm_fastest_and_how_sure_is_that(site, opened):
    main = clicked(opened(site), "Fast?", "training step")
    line = main.locator("table.stack").first.locator("tr", has_text="LSTM model")
    fastest = line.locator("td[data-name=fastest]").inner_text()
    assert re.search(r"(NumPy|PyTorch|TensorFlow|JAX)", fastest) and re.search(r"\d (ms|s)", fastest)
    assert line.locator(".range").count() > 0


def test_what_is_known_to_be_wrong_in_jax(site, opened):
    tab = opened(site)
    clicked(tab, "Departures")
    tab.get_by_label("Search formulas").fill("JAX")
    tab.keyboard.press("Enter")
    tab.wait_for_function("location.hash.includes('q=JAX')")
    drawn(tab)
    lines = tab.locator("main table.stack tbody tr")
    assert lines.count() > 3 and all("jax" in each.lower() for each in lines.all_inner_texts())


def test_how_is_a_cell_that_departs_reproduced(site, opened):
    tab = opened(site)
    for _ in range(2):  # of the matrix, then of the formula
        tab.locator("a.tile.disagrees, a.tile.limited").first.click()
        drawn(tab)
    assert "pytest 'suites/" in tab.locator("pre").first.inner_text()


def test_what_does_this_machine_reach_of_its_peak(site, opened):
    main = clicked(opened(site), "Fast?")
    name = "of the machine's limit"
    shares = main.locator(f'td[data-name="{name}"]').all_inner_texts()
    assert len([each for each in shares if re.fullmatch(r"[\d.]+ %", each)]) > 10


@pytest.mark.parametrize("view", ["right", "fast", "cells", "departures", "machines", "words"])
def test_hostile_texts_are_shown_as_text(hostile, opened, view):
    tab = opened(hostile, f"#/{view}")
    assert tab.title() != "evil" and tab.locator("main img").count() == 0
    if view in ("right", "cells", "departures", "machines"):
        assert "<img src=x" in tab.locator("main").inner_text()
    assert not [
        each
        for each in tab.locator("a").evaluate_all("all => all.map(a => a.href)")
        if not each.startswith(("file:", "https:"))
    ]


def test_a_hostile_formula_and_cell_are_shown_as_text(hostile, opened):
    tab = opened(hostile, "#/cells")
    tab.locator("table.stack tbody a").first.click()
    drawn(tab)
    assert tab.title() != "evil" and tab.locator("main img").count() == 0
    assert "<img src=x" in tab.locator("h1").inner_text()


def test_a_spreadsheet_takes_no_text_for_a_formula(hostile, opened):
    tab = opened(hostile, "#/cells")
    tab.get_by_role("button", name="Copy as CSV").click()
    expect(tab.locator("#said")).to_have_text("Copied.")
    text = tab.evaluate("navigator.clipboard.readText()")
    assert '"=' not in text
