"""The order of a dub: subtitles, speech, timing, picture, sound, one file; from wherever it was left."""

import os
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from voicelip.consent.asking import Use, check_consent, require
from voicelip.dub import inputs, separate
from voicelip.dub.cast import Role
from voicelip.dub.given import Given
from voicelip.dub.job import CueState, JobState
from voicelip.dub.options import DubOptions, DubResult
from voicelip.dub.picture_stage import PictureStage
from voicelip.dub.script import Script, merged
from voicelip.dub.sound_stage import SoundStage, dub_frames
from voicelip.dub.speech_stage import SpeechStage, fit_warnings, longest_end
from voicelip.dub.takes import Takes
from voicelip.dub.voices import Voices
from voicelip.dub.whole import WholeProgress
from voicelip.hashing import content_hash
from voicelip.progress import Progress, silent
from voicelip.speech import EngineOptions
from voicelip.stopwatch import Stopwatch
from voicelip.trust.credentials import Finish, signing
from voicelip.version import __version__


def dub(
    clip: str | Path,
    *,
    subs: str | Path,
    out: str | Path,
    lang: str = "en",
    voice: str | None = None,
    cast: str | Path | None = None,
    job: str | Path | None = None,
    options: DubOptions | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> DubResult:
    """Dub the people in `clip` with the words of `subs`, which are in `lang`.

    `voice` is for all speakers that the `cast` file gives none. What is made on the way is kept in the folder
    `job` (default: the output's name with .dub, beside it): the same call goes on where it was stopped, and
    only what was changed since is made again. Raises a VoicelipError subclass for anything the user can mend.
    """
    given = Given.checked(clip, subs, out, lang, voice, cast, job, options or DubOptions(), overwrite)
    with given.job.locked():
        return _Run(given, progress).result()


def check(given: Given) -> tuple[str, ...]:
    """Refuse all that the work would refuse before it begins; the warnings that it would begin with."""
    run = _Run(given, silent)
    script, roles = run._script()
    for use in (*run._voices_used(script.cues), *run._faces_named(roles, script.cues)):
        check_consent(use)
    return tuple(run._told)


class _Run:
    """One run in a job folder that is locked."""

    def __init__(self, given: Given, progress: Progress) -> None:
        self._given, self._progress = given, WholeProgress(progress)
        self._watch = Stopwatch()
        options = given.options
        self._voices = Voices(EngineOptions(options.model_dir, options.device), self._progress)
        self._takes = Takes(given.job.takes, self._voices.speak)
        self._told = list(given.warnings)

    def result(self) -> DubResult:
        """Do what is still to be done."""
        given, options = self._given, self._given.options
        script, roles = self._script()
        states = script.cues
        # All faces that are drawn are asked for, and logged, when it is known which those are.
        faces = [check_consent(use) for use in self._faces_named(roles, states)]
        voices = [require(use) for use in self._voices_used(states)]
        ids = [id_ for each in (*faces, *voices) for id_ in each.ids]
        self._signing(states, ids)  # what could hinder it does so now
        state = self._noted(script)
        duration_s = Fraction(given.clip.info.frame_count) / given.clip.info.fps
        with self._watch.stage("speech"):
            speech = SpeechStage(given.job, self._takes, self._voices, options, self._progress)
            spoken = speech.run(states, duration_s)
        self._tell_of(spoken.cues)
        frames, held = dub_frames(given.clip, spoken.times, longest_end([cue.fit for cue in spoken.cues]))
        if held:
            self._told.append(
                f"the last picture stays for {float(held / given.clip.info.fps):.1f} s, until all is said"
            )
        with self._watch.stage("picture"):
            picture = PictureStage(
                given.job, given.clip, state.inputs["clip"]["sha256"], options, self._progress
            )
            pieces, made = picture.run(
                spoken, self._takes, roles, frames, lambda tracks: ids.extend(self._drawn(states, tracks))
            )
        with self._watch.stage("sound"):
            sound = SoundStage(
                given.clip,
                spoken.cues,
                self._takes,
                spoken.times,
                frames,
                given.lang,
                options,
                self._background(state.inputs["clip"]["sha256"]),
                self._progress,
            )
            frames = sound.write(given.out, pieces, given.overwrite, self._signing(states, ids))
        fps = given.clip.info.fps
        found = DubResult(
            path=given.out,
            job=given.job.folder,
            duration_s=round(float(frames / fps), 3),
            frames=frames,
            fps=float(fps),
            cues=spoken.cues,
            timings_s=self._watch.seconds,
            warnings=tuple(
                dict.fromkeys((*self._told, *given.clip.problems, *picture.warnings, *sound.warnings))
            ),
            passed_through=picture.passed,
            takes_made=self._takes.made,
            frames_made=made,
        )
        given.job.write(replace(state, result=_noted_result(found)))
        self._progress.end()
        return found

    def _background(self, clip_sha256: str) -> Path | None:
        """The track without speech that is under the dub, if there is one."""
        options, clip = self._given.options, self._given.clip
        if options.bed != "separate" or not clip.info.has_audio:
            return options.background
        return separate.background(
            clip.path,
            clip.info.duration_s,
            self._given.job.folder / f"background-{clip_sha256[:16]}.wav",
            options.device,
            self._progress,
        )

    def _signing(self, states: Sequence[CueState], ids: Sequence[str]) -> Finish:
        given = self._given
        claim = inputs.claim(given.clip.path, states, self._voices, given.options, ids)
        return signing(given.out, claim)

    def _voices_used(self, states: Sequence[CueState]) -> list[Use]:
        return inputs.voices_used(states, self._given.out, self._given.options)

    def _faces_named(self, roles: Sequence[Role], states: Sequence[CueState]) -> list[Use]:
        given = self._given
        return inputs.faces_named(given.clip.path, roles, states, given.out, given.options)

    def _drawn(self, states: Sequence[CueState], tracks: inputs.Tracks) -> tuple[str, ...]:
        """Ids of the records of all whose mouths are made anew."""
        given = self._given
        langs = sorted({state.lang for state in states})
        return inputs.agreed_by_drawn(given.clip, tracks, langs, given.out, given.options)

    def _script(self) -> tuple[Script, tuple[Role, ...]]:
        """The cues as they are to be said, and the roles of all who speak in them."""
        given = self._given
        script = merged(given.cues, given.cast, given.job.cues(), given.clip.info.duration_s)
        states = script.cues
        self._told += script.told
        edited = [f"{state.number} ({', '.join(state.edited)})" for state in states if state.edited]
        if edited:
            self._told.append(f"edited in {given.job.folder.name}: cue {', '.join(edited)}")
        roles = given.cast.of(state.speaker for state in states).roles
        self._voices.check(
            (state.voice for state in states), (state.lang for state in states), given.options.engine
        )
        self._voices.check_text({state.number: state.text for state in states}, given.options.engine)
        return script, roles

    def _noted(self, script: Script) -> JobState:
        """Write down what goes in, before the work."""
        given, options = self._given, self._given.options
        files = inputs.hashed(
            {
                "clip": given.clip.path,
                "subs": given.subs,
                "cast": given.cast_file,
                "background": options.background,
            }
        )
        before = given.job.read() if given.job.exists else None
        if changes := inputs.changed(before, files):
            self._told.append(f"changed since the last run: {', '.join(changes)}")
        out = os.path.relpath(given.out.resolve(), given.job.folder.resolve())
        result = before.result if before else {}
        state = JobState(out, files, {"lang": given.lang, **options.to_dict()}, __version__, result)
        given.job.write(state)
        script.write(given.job)
        return state

    def _tell_of(self, cues: Sequence[CueState]) -> None:
        self._told += fit_warnings(cues, self._given.options.limits)
        for cue in cues:
            if cue.take is not None:
                self._told += [f"cue {cue.number}: {each}" for each in self._takes.warnings[cue.take.key]]


def _noted_result(found: DubResult) -> dict[str, object]:
    """What job.json says of the output."""
    return {
        "sha256": content_hash(found.path),
        "duration_s": found.duration_s,
        "frames": found.frames,
        "fps": found.fps,
        "fits": found.fits,
        "passed_through": dict(found.passed_through),
        "warnings": list(found.warnings),
    }
