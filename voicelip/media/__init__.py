"""Containers, codecs, timestamps and sample rates: pictures and sound in and out of files."""

from voicelip.media.ahead import ahead, depth_of
from voicelip.media.clip import Clip, probe
from voicelip.media.output import check_output
from voicelip.media.pacing import paced_frames, paced_length, source_index, source_indices
from voicelip.media.picture import Box, Patch, Picture, RgbPicture
from voicelip.media.sound import read_audio, write_audio
from voicelip.media.values import Audio, ClipInfo, ColourTags, Frame
from voicelip.media.writer import VideoWriter

__all__ = [
    "Audio",
    "Box",
    "Clip",
    "ClipInfo",
    "ColourTags",
    "Frame",
    "Patch",
    "Picture",
    "RgbPicture",
    "VideoWriter",
    "ahead",
    "check_output",
    "depth_of",
    "paced_frames",
    "paced_length",
    "probe",
    "read_audio",
    "source_index",
    "source_indices",
    "write_audio",
]
