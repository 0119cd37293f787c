"""The desk in a real browser: what is pressed is done, and what is hostile does nothing.

One browser and one desk for all of them; each test has a context, and so headers, of its own.
"""

from collections.abc import Callable, Iterator

import pytest
from desk_browser import browser, listening
from desk_newsroom import HOSTILE, Newsroom, as_, proxied
from playwright.sync_api import Browser, Page, expect

from streamrec.desk.app import build_desk

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGES = ["/", "/articles", "/article?id=a1", "/write", "/reader?id=u1&article=a1", "/audit"]
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One for the module."""
    with browser() as found:
        yield found


@pytest.fixture(scope="module")
def newsroom() -> Newsroom:
    """More than a page of articles, the first of them with hostile titles."""
    return Newsroom(articles=60, titles=HOSTILE)


@pytest.fixture(scope="module")
def address(newsroom: Newsroom) -> Iterator[str]:
    """Where a desk behind a proxy listens."""
    with listening(build_desk(proxied(two_persons="everybody"), newsroom.sources())) as found:
        yield found


@pytest.fixture
def opened(chromium: Browser, address: str) -> Iterator[Open]:
    """Open a page as somebody; whatever the browser complains of fails the test."""
    contexts, complaints = [], list[str]()

    def open_(path: str, role: str = "chief", name: str = "ann", **more: object) -> Page:
        context = chromium.new_context(extra_http_headers=as_(role, name), base_url=address, **more)  # type: ignore[arg-type]
        contexts.append(context)
        context.set_default_timeout(8000)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("dialog", lambda dialog: complaints.append(f"a dialog: {dialog.message}"))
        page.goto(path)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_every_page_fits_and_can_be_read(opened: Open, look: str) -> None:
    """No page is wider than its window, nothing is in one colour with its ground, each has one heading."""
    more: dict[str, object] = {"viewport": {"width": 390 if look == "phone" else 1280, "height": 844}}
    page = opened("/", color_scheme="dark" if look == "dark" else "light", **more)
    for path in PAGES:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("innerWidth"), path
        assert page.locator("h1").count() == 1
        assert contrast(page, "h1") > 7, path
        assert contrast(page, "footer") > 4.5, path
    if look == "dark":
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(16, 19, 23)"


def contrast(page: Page, selector: str) -> float:
    """Of a text against the ground it stands on, as WCAG counts it."""
    return float(
        page.locator(selector).first.evaluate(
            """element => {
              const light = text => {
                const [r, g, b] = text.match(/[\\d.]+/g).map(Number).map(x => x / 255)
                  .map(x => x <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4);
                return .2126 * r + .7152 * g + .0722 * b;
              };
              let ground = element;
              while (getComputedStyle(ground).backgroundColor === "rgba(0, 0, 0, 0)") ground = ground.parentElement;
              const [a, b] = [getComputedStyle(element).color, getComputedStyle(ground).backgroundColor].map(light);
              return (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
            }"""
        )
    )


def test_hostile_titles_do_nothing(opened: Open) -> None:
    """They are read, not run; and five hundred letters without a blank stay in their place."""
    page = opened("/articles?page=2", viewport={"width": 390, "height": 844})
    expect(page.get_by_text(HOSTILE[0])).to_be_visible()
    for number in range(len(HOSTILE)):
        page.goto(f"/article?id=a{number}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.evaluate("document.querySelectorAll('main script, main img, main [onmouseover]').length") == 0


def test_articles_are_found_while_one_types(opened: Open) -> None:
    """Without loading the page anew; the field keeps what is typed."""
    page = opened("/articles")
    page.get_by_label("Search titles").press_sequentially("number 17")
    expect(page.get_by_text("1 article", exact=False).first).to_contain_text("1 article with")
    expect(page.get_by_label("Search titles")).to_have_value("number 17")
    page.get_by_role("link", name="Quantum chip number 17").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Quantum chip number 17")
    expect(page.get_by_text("of 40", exact=True)).to_be_visible()  # every reader was asked


def test_the_list_is_turned(opened: Open) -> None:
    """To the older ones and back."""
    page = opened("/articles")
    page.get_by_role("link", name="Older").click()
    expect(page.get_by_text("Page 2 of 2")).to_be_visible()
    page.get_by_role("link", name="Newer").click()
    expect(page.get_by_text("Page 1 of 2")).to_be_visible()


def test_a_push_is_written_with_the_keyboard_alone(opened: Open, newsroom: Newsroom) -> None:
    """From the first page to what is sent: preview, check, confirmation; then it is said."""
    page = opened("/", "editor")
    page.keyboard.press("g")
    page.keyboard.press("w")
    page.wait_for_url("**/write")
    while page.evaluate("document.activeElement.name") != "title":
        page.keyboard.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    page.keyboard.type("A chip for everybody")
    expect(page.locator("#preview")).to_contain_text("of 40 readers")
    expect(page.locator("#preview .phone")).to_contain_text("A chip for everybody")
    page.keyboard.press("Enter")
    page.wait_for_url("**/write/check")
    tick = page.get_by_label("I have read the title")
    tick.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("The push is sent")
    (article,) = newsroom.published
    assert article["title"] == "A chip for everybody"
    newsroom.published.clear()


def test_a_push_is_changed_before_it_is_sent(opened: Open, newsroom: Newsroom) -> None:
    """What was typed is there again; nothing was sent."""
    page = opened("/write", "editor")
    page.get_by_label("Title").fill('A "chip" & <more>')
    page.get_by_label("Not before").fill("2099-01-01T08:00")
    page.get_by_role("button", name="Check before sending").click()
    expect(page.get_by_text("2099-01-01 08:00:00")).to_be_visible()
    page.get_by_role("button", name="Change something").click()
    expect(page.get_by_label("Title")).to_have_value('A "chip" & <more>')
    expect(page.get_by_label("Not before")).to_have_value("2099-01-01T08:00")
    assert newsroom.published == []


def test_a_viewer_sees_a_preview_and_cannot_send(opened: Open) -> None:
    """The button says why."""
    page = opened("/write", "viewer")
    page.get_by_label("Title").press_sequentially("chip")
    expect(page.locator("#preview")).to_contain_text("of 40 readers")
    expect(page.get_by_role("button", name="Check before sending")).to_be_disabled()


def test_a_reader_is_asked_about(opened: Open) -> None:
    """In words; from there to why one article does not reach them."""
    page = opened("/reader", "viewer")
    page.get_by_label("Id of the reader").fill("u1")
    page.get_by_role("button", name="Look").click()
    expect(page.get_by_text("What is known of")).to_be_visible()
    page.locator("td a").first.click()
    expect(page.locator(".verdict")).to_be_visible()
    page.get_by_label("Id of the reader").fill("<script>nobody</script>")
    page.get_by_role("button", name="Look").click()
    expect(page.get_by_text("Nothing is known of this reader")).to_be_visible()


def test_keys_are_listed_and_lead_everywhere(opened: Open) -> None:
    """`?` shows them, Escape closes the list, and in a field they are letters."""
    page = opened("/articles")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("/")
    page.keyboard.type("g r?")
    expect(page.get_by_label("Search titles")).to_have_value("g r?")
    page.get_by_label("Search titles").blur()
    for key, path in (("r", "/reader"), ("n", "/"), ("a", "/articles")):
        page.keyboard.press("g")
        page.keyboard.press(key)
        page.wait_for_url(f"**{path}")


def test_figures_move_by_themselves(opened: Open, newsroom: Newsroom) -> None:
    """And say when they have stopped."""
    page = opened("/")
    newsroom.followed.age_ms = 95_000
    expect(page.get_by_text("What is shown is 95 s old.")).to_be_visible()
    newsroom.followed.age_ms = 20
    expect(page.get_by_text("What is shown is 95 s old.")).to_be_hidden()


def test_pushes_are_stopped_with_two_keys_and_a_reason(opened: Open, newsroom: Newsroom) -> None:
    """From any page; who has another one open sees it by itself, and a chief resumes there."""
    page, other = opened("/audit", "editor"), opened("/reader")
    page.keyboard.press("s")
    expect(page.get_by_label("Why")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_label("Why")).to_be_hidden()
    page.keyboard.press("s")
    page.keyboard.type("a wrong name")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("All pushes are stopped by ann")
    expect(page.get_by_role("button", name="Resume")).to_have_count(0)
    expect(other.get_by_role("alert")).to_contain_text("a wrong name")
    other.get_by_role("alert").get_by_label("Why").fill("it is right now")
    other.get_by_role("button", name="Resume").click()
    expect(other.get_by_role("status").first).to_contain_text("Pushes go on")
    expect(page.get_by_role("alert")).to_have_count(0)
    assert [command.action for command in newsroom.said] == ["stop", "resume"]
    newsroom.said.clear()


def test_each_button_of_an_article_does_what_it_says(opened: Open, newsroom: Newsroom) -> None:
    """Hold, release, correct, take back; each asks why, and the trail tells it afterwards."""
    page = opened("/article?id=a9", "editor")
    for button, said in (("Hold", "Held by ann"), ("Release", "released"), ("Correct", "Corrected by"),
                         ("Take back", "Taken back by")):  # fmt: skip
        page.locator("summary", has_text=button).click()
        panel = page.locator("details[open] form")
        if button == "Correct":
            panel.get_by_label("Title").fill("What it should have said")
        panel.get_by_label("Why").fill(f"because of {button}")
        panel.get_by_role("button").click()
        expect(page.locator("main")).to_contain_text(said)
    assert [command.action for command in newsroom.said] == ["hold", "release", "correct", "retract"]
    assert newsroom.published[0]["title"] == "What it should have said"
    newsroom.said.clear()
    newsroom.published.clear()
    page.keyboard.press("g")
    page.keyboard.press("t")
    expect(page.get_by_text("because of Take back")).to_be_visible()


def test_a_chief_pins_a_number_and_unpins_it(opened: Open, newsroom: Newsroom) -> None:
    """For an hour, on the first page, where it then stands; others are not offered it."""
    assert opened("/", "editor").get_by_text("Pin a number").count() == 0
    page = opened("/")
    for button, value in (("Pin a number", "2"), ("Back to the setting", "")):
        page.locator("summary", has_text=button).click()
        panel = page.locator("details[open] form")
        panel.get_by_label("What").select_option("daily_cap")
        if value:
            panel.get_by_label("Number").fill(value)
        panel.get_by_label("Why").fill("too many complaints")
        panel.get_by_role("button").click()
        if value:
            expect(page.locator("#figures")).to_contain_text("Pushes a day: 2")
    expect(page.get_by_role("status").first).to_contain_text("The setting is as it was")
    expect(page.locator("#figures")).not_to_contain_text("Pushes a day: 2")
    assert [(one.action, one.value) for one in newsroom.said] == [("pin", 2.0), ("unpin", 0.0)]
    newsroom.said.clear()


def test_what_is_done_to_a_reader_asks_why_and_is_found_by_the_id(opened: Open, newsroom: Newsroom) -> None:
    """Both forms of the page; the browser asks for a reason, and the trail shows it, under a pseudonym."""
    page = opened("/reader?id=u3")
    for form, button in (("Write down what they ask for", "Save"), ("Erase this reader", "Erase")):
        page.locator("summary", has_text=form).click()
        panel = page.locator("details[open] form")
        if button == "Save":
            panel.get_by_label("Pushes a day").select_option("2")
        else:
            panel.get_by_label("once more").fill("u3")
        panel.get_by_role("button", name=button).click()  # the browser asks why
        assert len(newsroom.said) == (button == "Erase")
        panel.get_by_label("Why").fill(f"a letter about {button}")
        panel.get_by_role("button", name=button).click()
        expect(page.get_by_role("status").first).to_contain_text("The reader")
    assert (len(newsroom.preferred), newsroom.erased) == (1, ["u3"])
    page.goto(page.url.partition("/reader")[0] + "/audit")
    page.get_by_role("searchbox").fill("u3")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("tbody")).to_contain_text("a letter about Erase")
    expect(page.locator("tbody")).to_contain_text("a letter about Save")
    expect(page.locator("tbody")).not_to_contain_text("u3")
    newsroom.said.clear()
    newsroom.preferred.clear()
    newsroom.erased.clear()


def test_a_viewer_has_no_buttons(opened: Open) -> None:
    """Nothing that would be refused is offered."""
    page = opened("/article?id=a9", "viewer")
    assert page.locator("main button").all_inner_texts() == ["Ask"]
    page.keyboard.press("s")
    expect(page.get_by_label("Why")).to_have_count(0)


def test_everybody_takes_a_chief_and_two_steps(opened: Open, newsroom: Newsroom) -> None:
    """The word has to be typed; an editor cannot choose it."""
    expect(opened("/write", "editor").locator("#audience option[value=everybody]")).to_be_disabled()
    page = opened("/write")
    page.get_by_label("Title").fill("Storm tonight")
    page.get_by_label("For", exact=True).select_option("segment")
    expect(page.get_by_label("Who read in")).to_be_visible()
    page.get_by_label("For", exact=True).select_option("everybody")
    expect(page.get_by_label("Who read in")).to_be_hidden()
    page.get_by_role("button", name="Check before sending").click()
    page.get_by_label("I have read the title").check()
    page.get_by_role("button", name="Send to").click()  # the browser asks for the word
    assert newsroom.published == []
    page.get_by_label("Type EVERYBODY").fill("EVERYBODY")
    page.get_by_role("button", name="Send to").click()
    expect(page.get_by_role("status").first).to_contain_text("before another person has approved it")
    assert newsroom.published[0]["audience"] == {"everybody": True}
    newsroom.published.clear()
    newsroom.said.clear()


def test_a_second_chief_approves_what_goes_to_everybody(opened: Open, newsroom: Newsroom) -> None:
    """From the list on the first page; whoever sent it, an editor and a viewer have no such button."""
    newsroom.sends_to_everybody("flood", "Flood reaches the town", "ann")
    for role, name in (("chief", "ann"), ("editor", "eve"), ("viewer", "vic")):
        page = opened("/article?id=flood", role, name)
        expect(page.locator("summary", has_text="Approve")).to_have_count(0)
    page = opened("/", "chief", "ben")
    page.get_by_role("link", name="Flood reaches the town").first.click()
    expect(page.locator("main")).to_contain_text("Sent or approved by ann")
    page.locator("summary", has_text="Approve").click()
    page.locator("details[open] form").get_by_label("Why").fill("I have read it")
    page.locator("details[open] form").get_by_role("button").click()
    expect(page.locator("main")).to_contain_text("Approved by ann, ben")
    page.goto("/")
    expect(page.get_by_text("Waiting for a second person")).to_have_count(0)
    newsroom.said.clear()


def test_whoever_has_no_role_sees_a_sentence(chromium: Browser, address: str) -> None:
    """And no page."""
    context = chromium.new_context(extra_http_headers=as_("staff"), base_url=address)
    page = context.new_page()
    answer = page.goto("/")
    assert answer is not None
    assert answer.status == 403
    expect(page.get_by_text("has no role at this desk")).to_be_visible()
    context.close()
