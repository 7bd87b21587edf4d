"""Errors meant for the user: one class per cause, one line each, with what to do next in the message.

The command line maps each class to its `exit_code`; Python callers catch `VoicelipError` or a subclass.
"""


class VoicelipError(Exception):
    """Base of every error that voicelip raises on purpose."""

    exit_code = 1


class InputNotFoundError(VoicelipError):
    """A named input file does not exist."""

    exit_code = 3


class UnreadableMediaError(VoicelipError):
    """A file is empty, truncated, corrupt, or holds no stream of the wanted kind."""

    exit_code = 4


class NoFaceError(VoicelipError):
    """No face was found anywhere in a clip, or not the one that was asked for."""

    exit_code = 5


class BadReferenceError(VoicelipError):
    """A reference recording cannot serve as one: silent, too short or too long."""

    exit_code = 6


class TextError(VoicelipError):
    """The text is empty or holds nothing that can be spoken."""

    exit_code = 7


class UnsupportedLanguageError(VoicelipError):
    """No engine or voice speaks the language that was asked for."""

    exit_code = 8


class OutputError(VoicelipError):
    """The output cannot be written: folder missing or read-only, disk full, file exists."""

    exit_code = 9


class ArtifactError(VoicelipError):
    """A model file could not be fetched, or its hash is wrong."""

    exit_code = 10


class UnknownNameError(VoicelipError):
    """A voice, engine, detector, generator or artifact name is not known."""

    exit_code = 11


class ModelFileError(VoicelipError):
    """A model file of the user's own is damaged, unsafe to load, or holds another network."""

    exit_code = 12


class OptionError(VoicelipError):
    """An option's value is out of range or does not fit the others."""

    exit_code = 2


class CredentialsError(VoicelipError):
    """Content credentials cannot be written, or the key that signs them cannot be used."""

    exit_code = 13


class TermsError(VoicelipError):
    """A model's own terms of use have not been accepted."""

    exit_code = 14


class ProfileError(VoicelipError):
    """A voice profile is damaged, unsafe to import, or made by a later version."""

    exit_code = 15


class SubtitleError(VoicelipError):
    """Subtitles cannot be dubbed: unreadable, empty, or with cues that no reading can mend."""

    exit_code = 17


class JobError(VoicelipError):
    """A job folder is damaged, in use, or made by a later version."""

    exit_code = 18


class ConsentError(VoicelipError):
    """No valid consent covers this person and this use; `reason` is a word for it, for the audit log."""

    exit_code = 16

    def __init__(self, message: str, reason: str = "other") -> None:
        super().__init__(message)
        self.reason = reason
