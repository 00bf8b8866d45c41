"""Who says what: quotation marks, speakers, and the sentences where nobody is named."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.corpus import read_article
from retrieval.datatypes import Article
from retrieval.segmentation import sentence_spans
from retrieval.speech import quotations, speaker_of

CORPUS = Path(__file__).parents[2] / "corpus"


def quoted(text):
    return [text[span.start : span.end] for span in quotations(text)]


def spans_of(text):
    return [span for span, _ in sentence_spans(text)]


def speakers(text):
    """Give for each sentence who says it, who reports that, and how much of the text shows it."""
    return said(Article(path="a.txt", raw=text.encode(), text=text))


def said(article):
    sentences = spans_of(article.text)
    rows = []
    for index in range(len(sentences)):
        found = speaker_of(article, sentences, index)
        if found is None:
            rows.append(None)
            continue
        by = found.speaker.reported_by
        shown = [n for n, sentence in enumerate(sentences) if found.span.holds(sentence)]
        assert found.span.start == sentences[shown[0]].start
        assert found.span.end == sentences[shown[-1]].end
        rows.append((found.speaker.name, by.name if by else None, shown[0], shown[-1]))
    return rows


def alone(name, index, by=None):
    return (name, by, index, index)


EXPECTED = {
    "000_7f2718549fe9be36.txt": {
        0: alone("India", 0),
        1: alone("US", 1),
        2: alone("India", 2),
        3: alone("Singh", 3),
        4: alone("ministry of defence", 4),
        5: ("ministry of defence", None, 4, 5),
        6: ("ministry of defence", None, 4, 6),
        7: alone("Singh", 7, by="MoD"),
        8: alone("Rubio", 8),
        9: alone("foreign minister", 9),
        10: ("foreign minister", None, 9, 10),
        11: alone("Tammy Bruce", 11),
        12: ("Tammy Bruce", None, 11, 12),
        13: ("Tammy Bruce", None, 11, 13),
        15: alone("Ms Bruce", 15),
        16: ("Ms Bruce", None, 15, 16),
        17: ("Ms Bruce", None, 15, 17),
        18: ("Ms Bruce", None, 15, 18),
        21: alone("Jaishankar", 21),
        22: ("Jaishankar", None, 21, 22),
        23: ("Jaishankar", None, 21, 23),
    },
    "001_c97994353f75affd.txt": {
        4: alone("Pete Hegseth", 4),
        5: alone("Pete Hegseth", 5),
        6: ("Pete Hegseth", None, 5, 6),
        7: ("Pete Hegseth", None, 5, 7),
        8: alone("Ministry of Defence", 8),
        10: alone("Rajnath Singh", 10),
        12: alone("Singh", 12, by="Defence Ministry"),
        13: ("Singh", "Defence Ministry", 12, 13),
        14: alone("Singh", 14, by="ministry"),
        18: ("Jaishankar", None, 18, 19),
        19: alone("Jaishankar", 19),
    },
    "002_e34cd0f6c764ac82.txt": {4: alone("Jaishankar", 4)},
    "003_54675ee963de578f.txt": {
        4: alone("Tammy Bruce", 4),
        6: alone("Jaishankar", 6),
        8: alone("Ms. Bruce", 8),
        10: alone("Ms. Bruce", 10),
        18: alone("defense minister", 18),
    },
    "004_4b7cf3a3e432ac5a.txt": {
        3: alone("Tammy Bruce", 3),
        4: ("Tammy Bruce", None, 3, 4),
        5: alone("Jaishankar", 5),
        6: ("Jaishankar", None, 5, 6),
        7: ("Jaishankar", None, 7, 8),
        8: alone("Jaishankar", 8),
        11: ("statement", None, 11, 12),
        12: alone("statement", 12),
        13: alone("Radio Pakistan", 13),
        15: alone("report", 15),
    },
}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_every_sentence_of_the_five_articles(name):
    """Each sentence has the speaker that a reader finds, and the others have none."""
    found = said(read_article(CORPUS, name, limit_bytes=100_000))
    assert {n: row for n, row in enumerate(found) if row} == EXPECTED[name]


def test_the_speaker_points_at_name_and_verb_in_the_file():
    """Name and cue are places in the article, so they can not say what it does not say."""
    article = read_article(CORPUS, "000_7f2718549fe9be36.txt", limit_bytes=100_000)
    found = speaker_of(article, spans_of(article.text), 13)
    assert found.speaker.name_span.start == article.text.index("Tammy Bruce, meanwhile")
    assert found.speaker.cue.start == article.text.index("said, “Rubio spoke")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('He said “a b” and «c» and "d e".', ["“a b”", "«c»", '"d e"']),
        ("“A ‘nested’ one’s mark,” he said.", ["“A ‘nested’ one’s mark,”"]),
        ("It isn't the boys' 'word'.", []),
        ('He is 5\'10" tall. "Yes," he said.', ['"Yes,"']),
        ("“Not closed.\nNext line.", ["“Not closed."]),
        ("“First part.\n\n“Second part,” he said.", ["“First part.\n\n“Second part,”"]),
        ('"First part.\n"Second part," he said.', ['"First part.\n"Second part,"']),
        ('"One."\r\n"Two."', ['"One."', '"Two."']),
        ("“", ["“"]),
        ('"', []),
        ('a"b " c', []),
        ("", []),
    ],
)
def test_quotation_marks(text, found):
    """Each kind of mark opens and closes a quotation; a line ends what is left open."""
    assert quoted(text) == found


@given(st.text(st.sampled_from("“”«»\"' \n\r.Aa") | st.characters()))
def test_quotations_are_ascending_disjoint_and_inside_the_text(text):
    """For any text the quotations are places in it that do not overlap, opened by a mark."""
    end = 0
    for span in quotations(text):
        assert end <= span.start < span.end <= len(text)
        assert text[span.start] in '“«"'
        end = span.end


WORDS = (
    'Rubio|said|told|, |.|. |“|”|"|\n|he|the ministry|according to|that|quoted|as saying|Mr.|(MoD)'
    "|’s remarks|on Thursday|:|Minister|of|and"
)


@given(st.lists(st.sampled_from(WORDS.split("|")) | st.text(max_size=3), max_size=30).map(" ".join))
def test_any_article_has_speakers_inside_it(text):
    """Whatever the words, an attribution holds its sentence and names a place in the article."""
    if not text or "\0" in text:
        return
    article = Article(path="a.txt", raw=text.encode(), text=text)
    sentences = spans_of(text)
    for index, sentence in enumerate(sentences):
        found = speaker_of(article, sentences, index)
        if found is not None:
            assert found.span.holds(sentence)
            assert found.speaker.name.strip() == found.speaker.name


@pytest.mark.parametrize(
    ("text", "speaker"),
    [
        ("“We stand with India,” said Rubio.", "Rubio"),
        ("“We stand with India,” said US Secretary of State Marco Rubio on Friday.", "Marco Rubio"),
        ("“We stand with India,” said Tammy Bruce, a spokesperson.", "Tammy Bruce"),
        ("«We stand with India», police said.", "police"),
        ("Rubio, in a call with Sharif, said “India is right”.", "Rubio"),
        ("Jaishankar, the foreign minister, said he would go.", "Jaishankar"),
        ("Rubio was quoted as saying that India is right.", "Rubio"),
        ("The talks failed, according to Rubio.", "Rubio"),
        ("The talks failed, the Foreign Office in London said on Friday.", "Foreign Office"),
        ("A spokesman for the ministry said the talks failed.", "spokesman for the ministry"),
        ("Officials in Delhi warned that the talks failed.", "Officials in Delhi"),
        ("Carl Russell of Kent Police’s Force CID said the talks failed.", "Carl Russell"),
        ("The waters, which Chile says are its own, are Peru's, an official said.", "official"),
    ],
)
def test_whose_words_a_sentence_gives(text, speaker):
    """The subject of the verb of saying is the speaker, wherever it stands."""
    assert speakers(text) == [(speaker, None, 0, 0)]


@pytest.mark.parametrize(
    "text",
    [
        "Rubio spoke with Sharif on Thursday.",
        "Rubio expressed sorrow for the victims of the “horrific terrorist attack” in Kashmir.",
        "According to sources close to it all, nothing happened.",
        "It said the talks failed.",
        "He said the talks failed.",
        "The plan was said to be dead.",
        "India announced new measures.",
        "He left after Rubio said the talks had failed.",
        "“A lonely line that nobody is named for.”",
        "A study published in Nature said so.",
    ],
)
def test_nobody_is_named_where_nobody_speaks(text):
    """Without a verb of saying that has a name for its subject there is no speaker."""
    assert speakers(text) == [None]


def test_he_is_the_person_who_was_last_the_subject():
    """A pronoun leads to the last person, over countries, offices and other people's names."""
    text = (
        "Foreign minister Subrahmanyam Jaishankar met Rubio. India was glad. "
        "The ministry agreed. He said the talks went well."
    )
    assert speakers(text) == [None, None, None, alone("Subrahmanyam Jaishankar", 3)]


def test_a_quotation_alone_in_its_paragraph_goes_on_with_the_speaker_before():
    """Only what follows without a word between belongs to the speaker of the quotation before."""
    text = "Rubio said, “One is true.”\n“Two is true.”\nThe day was cold.\n“Three is true.”\n"
    assert speakers(text) == [alone("Rubio", 0), ("Rubio", None, 0, 1), None, None]


def test_an_attribution_more_than_four_sentences_away_is_not_shown():
    """In a long quotation the speaker stays known, but the sentence is shown alone."""
    text = "Rubio said, “" + " ".join(f"Point number {n} is true." for n in range(7)) + "”"
    found = speakers(text)
    assert found[4] == ("Rubio", None, 0, 4)
    assert found[5:] == [alone("Rubio", 5), alone("Rubio", 6)]


def test_a_line_that_ends_in_a_colon_introduces_the_next():
    """«Rubio said:» on a line of its own names the speaker of the quotation below it."""
    assert speakers("Rubio said in a statement:\n“We stand with India.”") == [
        alone("Rubio", 0),
        ("Rubio", None, 0, 1),
    ]


def test_a_million_marks_are_read_at_once():
    """No text makes the search for quotations slow."""
    assert len(quotations('"a ' * 300_000)) == 150_000
