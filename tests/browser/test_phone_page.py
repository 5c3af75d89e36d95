"""The phone page in a real browser: a text goes out, ticks appear, the answer comes in.

Needs Chromium. Without one the tests are skipped; with PARLEY_REQUIRE_BROWSER=1 they fail instead.
"""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from harness.browser import chromium
from integration.simulator.application import Application, Reply, running_application, wait_until
from integration.simulator.twilio_client import SID, TOKEN, US, client_for
from parley_simulator.server import serving
from parley_simulator.settings import Settings

SMS = "/webhooks/twilio/sms"
HOLDER = "+12025550111"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def application() -> Iterator[Application]:
    with running_application() as running:
        yield running


@pytest.fixture
def url(application: Application) -> Iterator[str]:
    settings = Settings(SID, TOKEN, (US, "+15550100101"), application.url, port=0)
    with serving(settings) as running:
        yield running


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    """The page of a person, connected; anything written to the browser's console fails the test."""
    page = browser.new_page(viewport={"width": 1280, "height": 800}, locale="en-US")
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    page.goto(url)
    expect(page.get_by_role("status")).to_have_text("Live")
    yield page
    page.close()
    assert complaints == []


def send(page: Page, body: str) -> None:
    page.get_by_label("Text", exact=True).fill(body)
    page.keyboard.press("Enter")


def test_a_text_is_answered_and_both_get_their_ticks(page: Page, url: str, application: Application) -> None:
    send(page, "When are you open?")
    mine = page.locator(".text.mine")
    expect(mine).to_contain_text("When are you open?")
    expect(mine.locator(".tick")).to_have_text("✓ Webhook answered")
    (received,) = application.wait_for(SMS, 1)
    assert received.form["Body"] == "When are you open?"
    client_for(url).messages.create(to=HOLDER, from_=US, body="From nine to five.")
    theirs = page.locator(".text:not(.mine)")
    expect(theirs).to_contain_text("From nine to five.")
    expect(theirs.locator(".tick")).to_have_text("✓✓ Delivered")
    expect(page.get_by_label("Text", exact=True)).to_have_value("")


def test_a_failing_webhook_shows_retries_and_then_its_error(page: Page, application: Application) -> None:
    application.always[SMS] = Reply(status=500)
    send(page, "hello?")
    tick = page.locator(".text.mine .tick")
    expect(tick).to_contain_text("Webhook retrying")
    expect(tick).to_contain_text("Webhook failed, 6 attempts · 11200")
    page.get_by_role("tab", name="Requests").click()
    expect(page.locator("#log .complaint")).to_contain_text("11200")


def test_a_failed_message_shows_its_code(page: Page, url: str) -> None:
    page.get_by_label("Unreachable handset (30003)").check()
    expect(page.get_by_text("0×")).to_be_visible()
    client_for(url).messages.create(to=HOLDER, from_=US, body="Are you there?")
    expect(page.locator(".text .tick")).to_contain_text("Not delivered · 30003")
    expect(page.get_by_text("1×")).to_be_visible()
    page.get_by_label("Unreachable handset (30003)").uncheck()
    expect(page.get_by_label("Unreachable handset (30003)")).not_to_be_checked()
    assert httpx.get(f"{url}/_simulator/faults").json() == []


def test_markup_in_a_text_stays_text(page: Page, url: str) -> None:
    evil = '<img src=x onerror="document.title=1"><script>document.title=1</script>'
    client_for(url).messages.create(to=HOLDER, from_=US, body=evil)
    expect(page.locator(".text .bubble")).to_have_text(evil)
    assert page.locator(".bubble *").count() == 0
    expect(page).to_have_title("Parley phone")


def test_segments_are_counted_while_writing(page: Page) -> None:
    field = page.get_by_label("Text", exact=True)
    field.fill("hello world!")
    expect(page.locator("#size")).to_have_text("GSM-7 · 1 segment · 12/160")
    field.fill("ж" * 71)
    expect(page.locator("#size")).to_have_text("UCS-2 · 2 segments · 71/134")


def test_a_picture_is_sent_and_shown(page: Page, application: Application) -> None:
    picture = (
        b'<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"><rect width="20" height="20"/></svg>'
    )
    page.get_by_label("Attach a picture").set_input_files(
        {"name": "square.svg", "mimeType": "image/svg+xml", "buffer": picture}
    )
    expect(page.get_by_role("button", name="Remove square.svg")).to_be_visible()
    page.get_by_role("button", name="Send").click()
    (received,) = application.wait_for(SMS, 1)
    assert (received.form["NumMedia"], received.form["MediaContentType0"]) == ("1", "image/svg+xml")
    shown = page.get_by_alt_text("Picture")
    expect(shown).to_be_visible()
    page.wait_for_function("document.querySelector('.picture').naturalWidth === 20")


def test_each_person_and_each_number_has_its_own_texts(page: Page, url: str) -> None:
    send(page, "from the first person")
    expect(page.locator(".text.mine .tick")).to_contain_text("answered")
    client_for(url).messages.create(to="+14155550132", from_=US, body="for the second person")
    second = page.get_by_role("button", name="+1 (415) 555-0132")
    expect(second.get_by_label("1 new")).to_be_visible()
    second.click()
    expect(page.locator(".bubble")).to_have_text(["for the second person"])
    page.get_by_role("button", name="+1 (202) 555-0111").click()
    expect(page.locator(".bubble")).to_have_text(["from the first person"])
    page.get_by_label("To", exact=True).select_option("+15550100101")
    expect(page.locator(".bubble")).to_have_count(0)


def test_an_own_number_can_be_added(page: Page, application: Application) -> None:
    field = page.get_by_label("Another number")
    field.fill("555")
    field.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="country code")).to_be_visible()
    field.fill("+44 20 7946 0958")
    field.press("Enter")
    send(page, "from abroad")
    (received,) = application.wait_for(SMS, 1)
    assert received.form["From"] == "+442079460958"


def test_the_page_reconnects_and_catches_up(browser: Browser, application: Application) -> None:
    settings = Settings(SID, TOKEN, (US,), application.url, port=0)
    page = browser.new_page()
    with serving(settings) as url:
        page.goto(url)
        expect(page.get_by_role("status")).to_have_text("Live")
    expect(page.get_by_role("status")).to_have_text("Reconnecting")
    again = Settings(SID, TOKEN, (US,), application.url, port=int(url.rpartition(":")[2]))
    with serving(again) as url:
        expect(page.get_by_role("status")).to_have_text("Live", timeout=15_000)
        client_for(url).messages.create(to=HOLDER, from_=US, body="back again")
        expect(page.locator(".bubble")).to_have_text("back again")
        page.close()


def test_a_narrow_window_shows_the_phone_or_the_workbench(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 780})
    expect(page.get_by_label("Text", exact=True)).to_be_visible()
    expect(page.get_by_role("tab", name="Faults")).not_to_be_visible()
    page.get_by_role("button", name="Workbench").click()
    expect(page.get_by_role("tab", name="Faults")).to_be_visible()
    expect(page.get_by_label("Text", exact=True)).not_to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_text_that_arrives_while_the_page_loads_is_not_lost(browser: Browser, url: str) -> None:
    page = browser.new_page()
    twilio = client_for(url)

    def arrive_meanwhile(route: Route) -> None:
        stale = route.fetch()
        sid = twilio.messages.create(to=HOLDER, from_=US, body="just in time").sid
        wait_until(lambda: twilio.messages(sid).fetch().status, lambda status: status == "delivered")
        route.fulfill(response=stale)

    page.route("**/_simulator/messages?*", arrive_meanwhile, times=1)
    page.goto(url)
    expect(page.locator(".bubble")).to_have_text(["just in time"])
    expect(page.locator(".text .tick")).to_have_text("✓✓ Delivered")
    page.close()
