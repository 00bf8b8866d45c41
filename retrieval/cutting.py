"""An article → what is searched: sentences, passages, and what surrounds each sentence.

Nothing here depends on other articles.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from retrieval.datatypes import Article, Span
from retrieval.segmentation import passage_windows, sentence_spans

# Sentences are read together in stretches of at most so many characters: what the model reads at
# once (some 250 word pieces of English).
STRETCH = 900

Context = tuple[str, int, int]  # a stretch, and where in it the sentence stands


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """An article in pieces.

    Attributes:
        spans: Of its sentences.
        headings: Whether each is a heading.
        middles: For each sentence, the passage that has it most in the middle.
        windows: For each passage, the range of its sentences.
    """

    article: Article
    spans: tuple[Span, ...]
    headings: tuple[bool, ...]
    middles: tuple[int, ...]
    windows: tuple[range, ...]

    @property
    def sentences(self) -> list[str]:
        return [self.article.at(span) for span in self.spans]

    @property
    def passages(self) -> list[str]:
        return [self.article.at(self.span_of(window)) for window in self.windows]

    def span_of(self, window: range) -> Span:
        return Span(start=self.spans[window.start].start, end=self.spans[window.stop - 1].end)

    def headed_passages(self) -> list[str]:
        """Give each passage with the headline before it: what the report is about."""
        title = self.article.title
        return [
            passage
            if title is None or self.span_of(window).holds(title)
            else f"{self.article.at(title)}\n{passage}"
            for window, passage in zip(self.windows, self.passages, strict=True)
        ]

    def contexts(self) -> Iterator[Context]:
        """Give the stretch that each sentence is read in, and where in it the sentence stands."""
        for stretch in self._stretches():
            whole = self.span_of(stretch)
            text = self.article.at(whole)
            for number in stretch:
                span = self.spans[number]
                yield text, span.start - whole.start, span.end - whole.start

    def _stretches(self) -> Iterator[range]:
        """Cut the sentences into stretches, each as long as may be; each sentence is in one."""
        first = 0
        for number, span in enumerate(self.spans):
            if span.end - self.spans[first].start > STRETCH and number > first:
                yield range(first, number)
                first = number
        if self.spans:
            yield range(first, len(self.spans))


def cut(article: Article) -> Cut:
    found = sentence_spans(article.text)
    spans = tuple(span for span, _ in found)
    windows = passage_windows(spans)
    return Cut(
        article=article,
        spans=spans,
        headings=tuple(is_heading for _, is_heading in found),
        middles=tuple(_middle_windows(windows, len(spans))),
        windows=windows,
    )


def _middle_windows(windows: Sequence[range], count: int) -> list[int]:
    """Give for each sentence the window that has it most in the middle, the first of equals."""
    best: list[tuple[int, int]] = [(-1, 0)] * count
    for i, window in enumerate(windows):
        for number in window:
            depth = min(number - window.start, window.stop - 1 - number)
            if depth > best[number][0]:
                best[number] = (depth, i)
    return [i for _, i in best]
