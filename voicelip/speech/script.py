"""Text → what the embedded engine speaks in one go each, the pauses between, and whose phonemes are whose."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from voicelip.speech import markup, phonemes
from voicelip.speech.markup import Marked, Pronounced
from voicelip.speech.reading import read
from voicelip.speech.text import Sentence, clean, split_sentences
from voicelip.speech.words import Lettered, within

CLAUSE_PAUSE_S = 0.10
SENTENCE_PAUSE_S = 0.25
PARAGRAPH_PAUSE_S = 0.55


@dataclass(frozen=True)
class Utterance:
    """A stretch of phonemes with its words.

    `pause_s` follows it as speech has it, `asked_s` as the text asks for; only the first has a `before_s`.
    """

    sentence: int
    sentence_text: str
    phonemes: str
    words: tuple[Lettered, ...]
    pause_s: float
    asked_s: float = 0.0
    before_s: float = 0.0

    @property
    def written(self) -> str:
        """The words as they are written."""
        return " ".join(word.text for word in self.words)


def script(text: str, lang: str, first_tokens: Sequence[int] = ()) -> tuple[list[Utterance], str]:
    """What is spoken, and the letters of foreign scripts that are left out.

    With `first_tokens` the first utterances are at most so long.
    """
    marked = markup.parse(text)
    cleaned, foreign = clean(marked.text)
    found: list[Utterance] = []
    before_s = 0.0
    for i, sentence in enumerate(split_sentences(cleaned, lang)):
        for part, asked_s in marked.at_breaks(sentence.text):
            spoken = list(_utterances(i, sentence, part, marked, lang, first_tokens[len(found) :]))
            found += spoken
            if found:
                found[-1] = _pausing(found[-1], asked_s)
            else:
                before_s += asked_s
    if found:
        found[0] = replace(found[0], before_s=before_s)
    return found, foreign


def _pausing(utterance: Utterance, asked_s: float) -> Utterance:
    """A pause that is asked for replaces the one that speech has by itself."""
    if not asked_s:
        return utterance
    return replace(utterance, pause_s=0.0, asked_s=utterance.asked_s + asked_s)


def _utterances(
    index: int, sentence: Sentence, part: str, marked: Marked, lang: str, first_tokens: Sequence[int]
) -> Iterator[Utterance]:
    words = read(part, lang)
    spoken = phonemes.pronounce(words, lang, lambda char: _ipa(marked, char))
    if not spoken.phonemes:
        return
    lettered = [
        Lettered(marked.written(word.written), start, end)
        for word, (start, end) in zip(words, spoken.spans, strict=True)
    ]
    after_s = PARAGRAPH_PAUSE_S if sentence.ends_paragraph else SENTENCE_PAUSE_S
    spans = _spans(spoken.phonemes, first_tokens)
    for start, end in spans:
        pause_s = after_s if (start, end) == spans[-1] else CLAUSE_PAUSE_S
        own = within(lettered, start, end)
        yield Utterance(index, marked.written(sentence.text), spoken.phonemes[start:end], own, pause_s)


def _ipa(marked: Marked, char: str) -> str:
    mark = marked.mark(char)
    return mark.ipa if isinstance(mark, Pronounced) else ""


def _spans(letters: str, limits: Sequence[int]) -> list[tuple[int, int]]:
    """The pieces of a stretch of phonemes; the first ones are at most as long as the limits say."""
    spans, start = [], 0
    for limit in limits:
        if len(letters) - start <= limit:
            break
        cut = start + _cut(letters[start:], limit)
        spans.append((start, start + len(letters[start:cut].rstrip())))
        start = len(letters) - len(letters[cut:].lstrip())
    return [*spans, *phonemes.chunk_spans(letters[start:].strip(), start=start)]


def _cut(letters: str, limit: int) -> int:
    """Where to cut, at a clause or between words, so that no scrap is left on either side."""
    scrap = limit // 3
    for marks in (";:—….!?,", " "):
        cuts = [i + 1 for i in range(scrap, min(limit, len(letters) - scrap)) if letters[i] in marks]
        if cuts:
            return cuts[-1]
    return limit
