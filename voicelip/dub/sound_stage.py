"""The sound tracks of a dub, and the file that they and the picture become."""

import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from voicelip.dub import mix
from voicelip.dub.job import CueState
from voicelip.dub.languages import three_letters
from voicelip.dub.options import DubOptions
from voicelip.dub.speech_track import SpeechTrack, slots
from voicelip.dub.takes import Takes
from voicelip.dub.timemap import TimeMap
from voicelip.media import Clip
from voicelip.media.mux import SoundTrack, SubtitleTrack, mux
from voicelip.media.sound_stream import channels_of
from voicelip.progress import Progress
from voicelip.trust.watermark import Marker

DUB_TITLE, ORIGINAL_TITLE = "Dub", "Original"
_TAIL_S = Fraction(1, 10)  # after the last sound, where the picture has to wait for it


class SoundStage:
    """Mixes and muxes one job."""

    def __init__(
        self, clip: Clip, cues: Sequence[CueState], takes: Takes, times: TimeMap, frames: int, lang: str,
        options: DubOptions, background: Path | None, progress: Progress,
    ) -> None:  # fmt: skip
        self._clip, self._cues, self._times = clip, cues, times
        self._lang, self._options, self._progress = lang, options, progress
        self._background = background
        self._seconds = frames / clip.info.fps
        self._speech = SpeechTrack(cues, takes, mix.RATE)
        self._channels = min(2, max([1, *(channels_of(path) for path in self._files())]))
        self.warnings: tuple[str, ...] = ()

    def write(
        self, out: Path, pieces: Sequence[Path], overwrite: bool, finish: Callable[[Path], None]
    ) -> int:
        """Write the dub; how many frames it has."""
        sounds = [SoundTrack(self._dub(), mix.RATE, self._channels, three_letters(self._lang), DUB_TITLE)]
        if self._options.keep_original and self._clip.info.has_audio:
            sounds.append(
                SoundTrack(
                    mix.original_track(self._clip.path, self._scene(min(2, channels_of(self._clip.path)))),
                    mix.RATE,
                    min(2, channels_of(self._clip.path)),
                    three_letters(self._options.original_lang),
                    ORIGINAL_TITLE,
                    is_default=False,
                )
            )
        subtitles = SubtitleTrack(self._lines(), three_letters(self._lang)) if self._options.subs_in else None
        total = round(self._seconds * self._clip.info.fps)
        return mux(
            out, pieces, self._clip.info.fps, sounds, subtitles, overwrite, finish,
            lambda done: self._progress("writing", done, total, "frames"),
        )  # fmt: skip

    def _dub(self) -> Iterator[np.ndarray]:
        own = self._clip.path if self._clip.info.has_audio else None
        total = float(self._seconds)
        original = mix.listened(
            own,
            self._channels,
            lambda done: self._progress("listening", min(done / mix.RATE, total), total, "s"),
        )
        bed, scene = self._bed(), self._scene(self._channels)

        def mixed() -> Iterator[np.ndarray]:
            return mix.mixed(self._speech, bed, scene, original)

        return mix.levelled(
            mixed,
            lambda: mix.marked(mixed(), self._mark),
            self._channels,
            self._options.lufs,
            lambda done: self._progress("mixing", min(done / mix.RATE, total), total, "s"),
        )

    def _mark(self, sound: Iterator[np.ndarray], rate: int) -> Iterator[np.ndarray]:
        marker = Marker(rate, math.inf)  # peaks are held down afterwards
        yield from marker.mark(sound)
        self.warnings = marker.warnings

    def _bed(self) -> mix.Bed | None:
        if self._background is not None:
            return mix.Bed(self._background, is_original=False)
        if self._options.bed == "none" or not self._clip.info.has_audio:
            return None
        return mix.Bed(self._clip.path, is_original=True)

    def _scene(self, channels: int) -> mix.Scene:
        length = round(self._seconds * mix.RATE)
        return mix.Scene(self._times, length, channels, slots(self._cues, self._times))

    def _lines(self) -> list[tuple[float, float, str]]:
        """The cues as they are read: at least for as long as they are heard."""
        return [
            (cue.fit.start_s, max(cue.fit.end_s, float(self._times.output(cue.end_s))), cue.text)
            for cue in self._cues
            if cue.fit
        ]

    def _files(self) -> list[Path]:
        own = [self._clip.path] if self._clip.info.has_audio and self._options.bed != "none" else []
        return [*own, *([self._background] if self._background else [])]


def dub_frames(clip: Clip, times: TimeMap, speech_ends_s: float) -> tuple[int, int]:
    """How many frames the dub has, and for how many of them the clip's last picture stays, so that nothing
    that is said is cut.
    """
    fps = clip.info.fps
    shown = round(times.output(Fraction(clip.info.frame_count) / fps) * fps)
    if speech_ends_s <= shown / fps:
        return shown, 0
    needed = math.ceil((Fraction(speech_ends_s) + _TAIL_S) * fps)
    return needed, needed - shown
