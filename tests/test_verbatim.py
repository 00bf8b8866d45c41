"""The promise, from the file to the quote: what is quoted is what the file says."""

import html
import tempfile
import unicodedata
from pathlib import Path

import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

from retrieval.corpus import Skipped, read_article
from retrieval.datatypes import Article, Quote, Span
from retrieval.quoting import Claim, verify
from retrieval.segmentation import sentence_spans, tiles

# What has broken verbatim quoting elsewhere: line ends, marks, entities, composed and decomposed
# letters, white space of every kind, text that looks like markup.
PIECES = st.sampled_from(
    [
        "\r\n", "\n", "\r", "\x85", "\u2028", "\x0c", "\ufeff", "\u00a0", "  ", "\t", " ",
        "&amp;", "&lt;b&gt;", "&quot;", "é", "e\u0301", "\ufb01", "Å", "…", "...", "“", "”", '"',
        "«", "»", "’", "😀", "👩\u200d🚀", "\u202eabc\u202c", "Yes. ", "He said no. ", "Mr. Smith ",
        "U.S. ", "*bold*", "<!channel>", ":rocket:", "\x1b[31m", "word", "Word", "1.5", "?", "!",
    ]
)  # fmt: skip
TEXTS = st.one_of(
    st.lists(PIECES, max_size=40).map("".join),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
)


def read(folder: Path, raw: bytes) -> Article | None:
    (folder / "a.txt").write_bytes(raw)
    found = read_article(folder, "a.txt", limit_bytes=10_000_000)
    return None if isinstance(found, Skipped) else found


def claims_of(article: Article) -> list[Claim]:
    quotes = [Quote(article=article, span=span) for span, _ in sentence_spans(article.text)]
    return [
        Claim(
            path=article.path,
            sha256=article.digest,
            start=quote.span.start,
            end=quote.span.end,
            byte_start=article.byte_range(quote.span)[0],
            byte_end=article.byte_range(quote.span)[1],
            text=quote.text,
        )
        for quote in quotes
    ]


def is_verbatim(raw: bytes, text: str) -> bool:
    """Whether all that is cut from `text` equals the bytes of the file at the same place."""
    spans = [*tiles(text), *(span for span, _ in sentence_spans(text))]
    before = [len(text[: span.start].encode()) for span in spans]
    cut = [text[span.start : span.end].encode() for span in spans]
    whole = b"".join(cut[: len(tiles(text))])
    return whole == raw and all(
        raw[start : start + len(piece)] == piece for start, piece in zip(before, cut, strict=True)
    )


@settings(max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=TEXTS)
def test_every_quote_is_the_bytes_of_its_file(text):
    """Whatever a file holds, each sentence equals the bytes at its place, and tiles cover it."""
    raw = text.encode()
    article = Article(path="a.txt", raw=raw, text=raw.decode())
    assert is_verbatim(article.raw, article.text)
    for claim in claims_of(article):
        assert raw[claim.byte_start : claim.byte_end] == claim.text.encode()


@settings(max_examples=300, deadline=None)
@given(text=TEXTS)
def test_a_file_on_disk_verifies_its_own_quotes(text):
    """Read from disk, quoted, read again: nothing differs."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        article = read(folder, text.encode())
        for claim in claims_of(article) if article else []:
            assert verify(claim, folder, limit_bytes=10_000_000) == ()


SLIPS = {
    "universal newlines": lambda text: text.replace("\r\n", "\n").replace("\r", "\n"),
    "utf-8-sig": lambda text: text.removeprefix("\ufeff"),
    "errors=replace": lambda text: text.replace("é", "\ufffd"),
    "NFC": lambda text: unicodedata.normalize("NFC", text),
    "html.unescape": html.unescape,
    "strip": str.strip,
}


@pytest.mark.parametrize("slip", SLIPS)
def test_the_property_has_teeth(slip):
    """With any of the usual slips in the reader, the property above finds a text that breaks it."""
    broken = find(
        TEXTS,
        lambda text: not is_verbatim(text.encode(), SLIPS[slip](text)),
        settings=settings(max_examples=10_000, database=None),
    )
    assert SLIPS[slip](broken) != broken


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_in_reading_is_caught(slip):
    """Text that was changed on the way in can not become an article of those bytes."""
    text = "\ufeffCaf\u0065\u0301 &amp; é.\r\nHe said no. \r"
    with pytest.raises(ValueError, match="not what its bytes say"):
        Article(path="a.txt", raw=text.encode(), text=SLIPS[slip](text))


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_in_quoting_is_caught(tmp_path, slip):
    """A quote that was changed on the way out fails verification against the file."""
    text = "\ufeffCaf\u0065\u0301 &amp; é.\r\nHe said no. \r"
    article = read(tmp_path, text.encode())
    assert article is not None
    span = Span(start=0, end=len(article.text))
    whole = Claim(
        path="a.txt",
        sha256=article.digest,
        start=span.start,
        end=span.end,
        byte_start=0,
        byte_end=len(article.raw),
        text=SLIPS[slip](article.text),
    )
    assert verify(whole, tmp_path, limit_bytes=10_000_000) == (
        f"the file says something else at characters 0..{span.end}",
        f"the file says something else at bytes 0..{len(article.raw)}",
    )


def test_a_file_that_changed_after_it_was_quoted_is_named(tmp_path):
    """The same words at the same place in another version of the file do not pass silently."""
    article = read(tmp_path, b"He said no. She said yes.")
    claim = claims_of(article)[0]
    read(tmp_path, b"He said no. She said nothing.")
    assert verify(claim, tmp_path, limit_bytes=10_000_000) == (
        "the file has changed since it was quoted (another sha256)",
    )
