"""Problems that a node has stored, on its pages: in the language of the reader, with no English left."""

from html import unescape

import httpx

from aquila.audit.roles import Role, Service
from aquila.sentences import Sentence, text_of
from clients.web.i18n.languages import languages
from clients.web.wiring import front_of
from services.node.rounds import statements
from tests.support.node_world import World
from tests.support.people import signed_in
from tests.support.web_world import ORIGIN, Browser, endpoint

PROBLEMS = (
    Sentence.of("statement_does_not_count", reason=Sentence.of("consented_manifest_differs", party="RS")),
    Sentence.of("hits_hidden_by_matcher", counterpart="SI", hits=3),
    Sentence.of("chunk_evaluated_wrongly", party="RS", chunk=4, reason=Sentence.of("evaluation_proof_not_verified")),
)
"""Of one sentence, and of sentences within others."""


async def test_problems_are_in_the_reader_s_language(world: World) -> None:
    round_id = await world.propose()
    await world.settle()
    party_node = world.nodes["AL"]
    with party_node.node.store.transaction("test.problems") as session:
        for number, problem in enumerate(PROBLEMS):
            statements.report_problem(session, party_node.node.clock, round_id, f"test {number}", problem)
    app = front_of(Service.NODE, "Albania")(party_node.app, endpoint())
    cookies = {"aquila-session-8701": signed_in(party_node.node.people, "officer", Role.OFFICER)}
    browser = Browser(httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=ORIGIN, cookies=cookies))
    try:
        page = unescape(await browser.open(f"/rounds/{round_id}"))
        assert all(text_of(problem) in page for problem in PROBLEMS)
        for tag in ("sq", "sr-Cyrl", "sr-Latn"):
            await browser.send("/language", tag=tag, back="/")
            page = unescape(await browser.open(f"/rounds/{round_id}"))
            for problem in PROBLEMS:
                assert languages()[tag].compose(problem) in page
                assert text_of(problem) not in page
            assert 'lang="en"' not in page.split("<main", 1)[1].split("</main>")[0]
    finally:
        app.end()
