"""What Clippings says in its own words wherever a reply is shown. Pure."""

from datetime import date

from bot.visible import safe_name
from retrieval import Quote, Speaker

REASONS = {
    "off_topic": "Nothing in them is about this.",
    "not_stated": "They touch on the subject, but no passage states this.",
    "outside_dates": "None of them was published in the time that you ask about.",
    "unknown_name": "You name somebody or something that none of them mentions.",
    "no_words": "There is no word in the question that could be searched for.",
}
CONFLICTS = {"number": "another number", "date": "another day", "name": "another name"}


def lines_of(quote: Quote) -> str:
    first, last = quote.article.line_range(quote.span)
    return f"line {first}" if first == last else f"lines {first}–{last}"


def day_of(published: date | None) -> str:
    return published.isoformat() if published else "undated"


def place_of(quote: Quote) -> str:
    """Say on one line where a quote stands."""
    path, published = quote.article.path, quote.article.published
    return f"{safe_name(path)} · {lines_of(quote)} · {day_of(published)}"


def said_by(speaker: Speaker) -> str:
    said = f"said by {speaker.name}"
    reporter = speaker.reported_by
    while reporter:
        said += f", as reported by {reporter.name}"
        reporter = reporter.reported_by
    return said
