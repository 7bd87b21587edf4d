"""The sentence in which a person agrees aloud, and whether a recording is of it, and of them."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path

from voicelip.errors import ConsentError, UnsupportedLanguageError
from voicelip.hashing import content_hash
from voicelip.trust.consent import Scope, Statement
from voicelip.trust.likeness import LIMITS, Likeness

MOST_WRONG = 0.3  # share of the words; a recogniser mishears names and numbers

_TEXTS = {
    "en": "I agree that synthetic speech and video may be made with my voice and my face, for this purpose: "
    "{purpose}. I know that I can withdraw this at any time. Today is {date}.",
    "es": "Acepto que se generen voz y vídeo sintéticos con mi voz y mi cara, con este fin: "
    "{purpose}. Sé que puedo retirarlo en cualquier momento. Hoy es {date}.",
    "fr": "J'accepte que de la parole et de la vidéo de synthèse soient produites avec ma voix et mon "
    "visage, dans ce but : {purpose}. Je sais que je peux revenir sur cet accord à tout moment. Nous sommes "
    "le {date}.",
    "it": "Accetto che con la mia voce e il mio viso si producano voce e video sintetici, per questo scopo: "
    "{purpose}. So che posso revocarlo in qualsiasi momento. Oggi è il {date}.",
    "pt": "Concordo que se produzam voz e vídeo sintéticos com a minha voz e o meu rosto, para este fim: "
    "{purpose}. Sei que posso retirar este acordo a qualquer momento. Hoje é {date}.",
    "hi": "मैं सहमत हूँ कि मेरी आवाज़ और मेरे चेहरे से इस उद्देश्य के लिए कृत्रिम आवाज़ और वीडियो बनाए जाएँ: {purpose}। "
    "मैं जानता हूँ कि मैं यह सहमति कभी भी वापस ले सकता हूँ। आज {date} है।",
}


def text(scope: Scope, lang: str = "en") -> str:
    """What is to be read: names nobody, but what for, and the day from which on it counts."""
    from babel.dates import format_date

    kind = lang.lower()[:2]
    if kind not in _TEXTS:
        raise UnsupportedLanguageError(
            f"there is no statement in {lang!r}; choose one of {', '.join(sorted(_TEXTS))}"
        )
    day = format_date(scope.not_before, "long", locale=kind)
    return _TEXTS[kind].format(purpose=", ".join(scope.purposes).rstrip("."), date=day)


def check(recording: Path, scope: Scope, lang: str, voices: Sequence[Likeness]) -> Statement:
    """The statement, if `recording` is of it and its speaker one of `voices`; else ConsentError."""
    wanted = text(scope, lang)
    if importlib.util.find_spec("faster_whisper") is None:
        raise ConsentError(
            "a spoken statement is checked with faster-whisper; run `pip install 'voicelip[evaluate]'`, or "
            "leave --statement out",
            "statement",
        )
    from voicelip.consent.voices import likeness_of_voice

    speaker = likeness_of_voice(recording)
    apart = min(speaker.distance(each) for each in voices)
    if apart > LIMITS["voice"]:
        raise ConsentError(
            f"{recording}: somebody else reads the statement than speaks in the reference ({apart:.2f} "
            f"apart, at most {LIMITS['voice']:.2f}); the person who agrees must read it",
            "statement speaker",
        )
    wrong = share_wrong(recording, wanted, lang)
    if wrong > MOST_WRONG:
        raise ConsentError(
            f"{recording}: is not the statement ({wrong:.0%} of its words are missing or others, at most "
            f"{MOST_WRONG:.0%}); `voicelip consent new … --show-statement` shows what is to be read",
            "statement words",
        )
    return Statement(wanted, content_hash(recording), round(wrong, 3), round(apart, 3), "faster-whisper base")


def share_wrong(recording: Path, wanted: str, lang: str) -> float:
    """Word error rate of what is heard against what was to be read."""
    from voicelip.media import read_audio
    from voicelip.speech.recognise import heard_text
    from voicelip.speech.word_errors import word_errors

    errors, count = word_errors(
        wanted, heard_text(read_audio(recording, 16_000, stop_s=120.0), lang[:2].lower())
    )
    return errors / max(1, count)
