"""Subtitles become cues: who says what, when; small faults are mended and told, others stop the run."""

from pathlib import Path

import pytest

from voicelip.dub.cast import read_cast
from voicelip.dub.subtitles import Subtitles, read_subtitles
from voicelip.errors import InputNotFoundError, OptionError, SubtitleError

ASS_HEADER = """[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize
Style: Default,Arial,20

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


@pytest.fixture
def read(tmp_path: Path):
    def reading(name: str, content: str, duration_s: float = 60.0, known: tuple[str, ...] = ()) -> Subtitles:
        path = tmp_path / name
        path.write_text(content, "utf-8")
        return read_subtitles(path, duration_s, known)

    return reading


def srt(*cues: str) -> str:
    """`00:01,000 --> 00:02,000 text` for each cue."""
    blocks = []
    for number, cue in enumerate(cues, 1):
        start, _, end, text = cue.split(" ", 3)
        blocks.append(f"{number}\n00:{start} --> 00:{end}\n{text}\n")
    return "\n".join(blocks)


def said(subtitles: Subtitles) -> list[tuple[str, str]]:
    return [(cue.speaker, cue.text) for cue in subtitles.cues]


def test_srt_has_its_tags_taken_out_and_its_lines_joined(read) -> None:
    found = read("a.srt", srt("00:01,000 --> 00:02,500 <i>Hola</i>,\n{\\an8}¿qué tal?"))
    assert [(cue.start_s, cue.end_s, cue.text, cue.line) for cue in found.cues] == [
        (1.0, 2.5, "Hola, ¿qué tal?", 2)
    ]
    assert found.warnings == ()


def test_webvtt_names_its_speakers_and_its_notes_are_not_read_aloud(read) -> None:
    content = """WEBVTT

STYLE
::cue { color: red }

NOTE a note
of two lines

intro
00:01.000 --> 00:03.000 align:start
<v.loud Ana María>Hola &amp; adiós</v>

NOTE another

00:03.000 --> 00:04.000
<00:03.500><c>Sin</c> nombre
"""
    found = read("a.vtt", content)
    assert said(found) == [("Ana María", "Hola & adiós"), ("", "Sin nombre")]
    assert [cue.line for cue in found.cues] == [10, 15]


def test_ass_actors_are_speakers_and_comments_are_not_cues(read) -> None:
    content = ASS_HEADER + (
        "Comment: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,,not this\n"
        "Dialogue: 0,0:00:01.00,0:00:03.00,Default,Ana,0,0,0,,{\\i1}Hola{\\i0}\\Nmundo\n"
    )
    found = read("a.ass", content)
    assert said(found) == [("Ana", "Hola mundo")]
    assert found.cues[0].line == 11


def test_ttml_times_may_be_in_frames_and_ticks(read) -> None:
    content = """<?xml version="1.0" encoding="UTF-8"?>
<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttp="http://www.w3.org/ns/ttml#parameter"
    ttp:frameRate="25" ttp:tickRate="10000000"><body><div>
<p begin="00:00:01:05" end="00:00:02.500">Hola<br/>mundo</p>
<p begin="30000000t" end="50000000t">adiós</p>
</div></body></tt>"""
    found = read("a.ttml", content)
    assert [(cue.start_s, cue.end_s, cue.text) for cue in found.cues] == [
        (1.2, 2.5, "Hola mundo"),
        (3.0, 5.0, "adiós"),
    ]


def test_names_before_a_colon_are_speakers_when_they_come_again(read) -> None:
    cues = [
        f"00:0{n},000 --> 00:0{n},900 {who}: línea {n}" for n, who in enumerate(["Ana", "Ben", "Ana", "Ben"])
    ]
    plain = [f"00:1{n},000 --> 00:1{n},900 línea {n}" for n in range(6)]
    once = "00:20,000 --> 00:21,000 Atención: cuidado"
    found = said(read("a.srt", srt(*cues, *plain, once)))
    assert found[0] == ("Ana", "línea 0")
    assert found[-1] == ("", "Atención: cuidado")


def test_a_name_of_the_cast_counts_wherever_it_stands(read) -> None:
    plain = [f"00:1{n},000 --> 00:1{n},900 línea {n}" for n in range(6)]
    found = read("a.srt", srt("00:01,000 --> 00:02,000 ana: hola", *plain), known=("Ana",))
    assert found.cues[0].speaker == "Ana"


def test_a_speaker_is_one_however_the_name_is_spelt(read) -> None:
    found = read("a.srt", srt("00:01,000 --> 00:02,000 ANA: hola", "00:03,000 --> 00:04,000 Ana: adiós"))
    assert said(found) == [("ANA", "hola"), ("ANA", "adiós")]


def test_two_speakers_in_one_subtitle_share_its_time_by_length(read) -> None:
    found = read("a.srt", srt("00:10,000 --> 00:14,000 - Ana: Sí.\n- Ben: No, de ninguna manera."))
    assert said(found) == [("Ana", "Sí."), ("Ben", "No, de ninguna manera.")]
    first, second = found.cues
    assert first.start_s == 10.0
    assert first.end_s == second.start_s
    assert second.end_s == 14.0
    assert first.slot_s < 1 < second.slot_s


def test_what_is_no_speech_is_left_out_and_told(read) -> None:
    found = read("a.srt", srt("00:01,000 --> 00:02,000 [Música]", "00:03,000 --> 00:04,000 Hola [risas]"))
    assert said(found) == [("", "Hola")]
    assert found.warnings == ("a.srt, line 2: holds no words and is left out",)


def test_small_faults_are_mended_and_told_with_their_lines(read) -> None:
    found = read(
        "a.srt",
        srt("00:01,000 --> 00:03,500 Uno", "00:03,000 --> 00:04,000 Dos", "00:09,000 --> 00:12,000 Tres"),
        duration_s=10.0,
    )
    assert [(cue.start_s, cue.end_s) for cue in found.cues] == [(1.0, 3.0), (3.0, 4.0), (9.0, 10.0)]
    assert found.warnings == (
        "a.srt, line 2: overlaps the next cue by 0.5 s; it ends where that begins",
        "a.srt, line 10: ends 2 s after the clip; it ends with the clip",
    )


def test_two_speakers_may_speak_at_once(read) -> None:
    found = read(
        "a.srt",
        srt("00:01,000 --> 00:03,500 Ana: Uno", "00:03,000 --> 00:04,000 Ben: Dos"),
        known=("Ana", "Ben"),
    )
    assert [cue.end_s for cue in found.cues] == [3.5, 4.0]
    assert found.warnings == ()


def test_cues_that_nothing_can_mend_are_all_named_in_one_error(read) -> None:
    content = srt(
        "00:02,000 --> 00:01,500 uno",
        "-00:01,000 --> 00:05,000 dos",
        "00:xx --> 3 tres",
        "02:00,000 --> 02:05,000 cuatro",
        "00:05,000 --> 00:05,000 cinco",
        "00:06,000 --> 00:07,000 seis",
        "00:06,100 --> 00:07,000 siete",
    ).replace("00:-", "-00:")
    with pytest.raises(SubtitleError) as told:
        read("a.srt", content)
    message = str(told.value)
    assert message.startswith("a.srt: 6 cues cannot be dubbed: ")
    for part in (
        "line 2: it ends 0.5 s before it starts",
        "line 6: its time is negative",
        "line 10: its times cannot be read",
        "line 14: it starts at 120 s, but the clip ends at 60 s",
        "line 18: it ends when it starts",
        "line 26: it starts together with line 22 of the same speaker",
    ):
        assert part in message


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.srt", "", "holds nothing to say"),
        ("a.srt", "nothing of the kind", "holds nothing to say"),
        ("a.ttml", "<tt", "cannot be read as TTML"),
        ("a.txt", "1", "no subtitle format"),
    ],
)
def test_a_file_that_is_no_subtitles_is_refused(read, name: str, content: str, reason: str) -> None:
    with pytest.raises(SubtitleError, match=reason):
        read(name, content)


def test_other_encodings_are_refused_by_name_and_utf_16_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.srt"
    path.write_bytes(srt("00:01,000 --> 00:02,000 ¿Qué?").encode("latin-1"))
    with pytest.raises(SubtitleError, match="is not text in UTF-8"):
        read_subtitles(path, 10.0)
    path.write_bytes(srt("00:01,000 --> 00:02,000 ¿Qué?").encode("utf-16"))
    assert read_subtitles(path, 10.0).cues[0].text == "¿Qué?"


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputNotFoundError, match=r"none\.srt"):
        read_subtitles(tmp_path / "none.srt", 10.0)


def test_the_cast_gives_voices_faces_and_languages(tmp_path: Path) -> None:
    (tmp_path / "ana.jpg").write_bytes(b"photo")
    path = tmp_path / "cast.yaml"
    path.write_text("Ana: {voice: alice, face: ana.jpg, lang: fr}\nBen: stock:em_alex\n'*': stock:ef_dora\n")
    cast = read_cast(path, None, "es")
    ana, ben, other = cast.role("ANA"), cast.role("Ben"), cast.role("")
    assert (ana.voice, ana.face, ana.lang, ana.speaker) == ("alice", tmp_path / "ana.jpg", "fr", "ANA")
    assert (ben.voice, ben.face, ben.lang) == ("stock:em_alex", None, "es")
    assert other.voice == "stock:ef_dora"


def test_a_speaker_without_a_voice_is_told_with_a_near_name(tmp_path: Path) -> None:
    path = tmp_path / "cast.yaml"
    path.write_text("Alice: stock:ef_dora\n")
    with pytest.raises(OptionError, match=r"'Alise'.*did you mean 'Alice'"):
        read_cast(path, None, "es").role("Alise")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("- Ana", "names nobody"),
        ("Ana: {voice: a, size: 3}", "Ana has size"),
        ("Ana: {lang: es}", "Ana has no voice"),
        ("Ana: [", "is not YAML"),
        ("Ana: {voice: a, face: -1}", "place from the left"),
        ("Ana: {voice: a, lang: no}", "quote it"),
    ],
)
def test_a_cast_with_a_mistake_is_refused_with_the_reason(tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / "cast.yaml"
    path.write_text(content)
    with pytest.raises(OptionError, match=reason):
        read_cast(path)
