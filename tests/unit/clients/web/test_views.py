"""Views of hits that an analyst keeps, on the pages."""

from typing import Any

HOSTILE = "<b>mine</b>"


async def test_a_view_is_kept_shown_and_removed(node: Any) -> None:
    """What is shown now is kept under a name, stands beside the ready views in every browser, and can be removed."""
    person, first, second = await node.enrol("ana", "analyst"), node.browser(), node.browser()
    await first.sign_in(person)
    assert "Keep this view as" not in await first.open("/hits")
    assert "Keep this view as" not in await first.open("/hits?stage=new")
    page = await first.open("/hits?stage=new&counterpart=AL&offset=0")
    assert "Keep this view as" in page
    page = await first.send("/hits/views", view=HOSTILE, list="stage=new&counterpart=AL&offset=0")
    assert "The view is kept." in page
    assert HOSTILE not in first.page
    assert "&lt;b&gt;mine" in first.page
    assert "Remove this view" in page
    assert 'aria-current="true"' in page
    await second.sign_in(person)
    page = await second.open("/hits")
    assert "&lt;b&gt;mine" in second.page
    assert "Remove this view" not in page
    # The address of a view holds the filter and nothing of its name.
    path = second.page.split("&lt;b&gt;mine")[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    assert "mine" not in path
    page = await second.open(path)
    view_id = second.page.split("/hits/views/")[1][:32]
    assert "The view is removed." in await second.send(f"/hits/views/{view_id}/remove", list="stage=new")
    assert "&lt;b&gt;mine" not in second.page
