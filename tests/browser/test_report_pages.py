"""Tests of the pages of `taxi-etl report` in a browser: network, accessibility, narrow screens, print."""

from typing import Any

import pytest

PAGES = ("execution", "overview")
Found = dict[str, Any]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_logs_nothing_and_requests_only_itself(name: str, found: Found) -> None:
    requests = [url for url in found[name]["requests"] if url != "data:,"]
    assert found[name]["console"] == []
    assert [url.rsplit("/", 1)[1] for url in requests] == [f"{name}.html"]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_violation_of_wcag_aa_in_light_and_dark(name: str, found: Found) -> None:
    assert found[name]["violations"] == {"light 360": [], "light 1100": [], "dark 360": [], "dark 1100": []}


@pytest.mark.parametrize("name", PAGES)
def test_charts_have_contrast_and_whole_labels(name: str, found: Found) -> None:
    views = found[name]["faint"].values()
    assert [each["faint"] for each in views] == [[], [], [], []]
    assert min(each["checked"] for each in views) > 20
    assert list(found[name]["clipped"].values()) == [[], [], [], []]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_a_screen_of_360_pixels(name: str, found: Found) -> None:
    assert found[name]["widths"] == {"light 360": 360, "light 1100": 1100, "dark 360": 360, "dark 1100": 1100}


@pytest.mark.parametrize("name", PAGES)
def test_the_tab_key_reaches_every_link_and_every_detail(name: str, found: Found) -> None:
    tabs = found[name]["tabs"]
    assert tabs["reached"] == tabs["all"]
    assert len(tabs["all"]) >= found[name]["closed"] + 1, "the details, and the link to the content"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_prints_on_white_with_all_details(name: str, found: Found) -> None:
    assert found[name]["print"] == {"background": "rgb(255, 255, 255)", "hidden": 0}
    assert found[name]["pdf"] == "%PDF"
