"""Faces: detection, mesh landmarks, tracks through a clip, stabilised crops and their inverse."""

from voicelip.face.choose import Choice, by_index, choice_of, largest, like_photo
from voicelip.face.crop import CROP_PX, PX_PER_IOD, MouthCrops, stabilise
from voicelip.face.track import FaceStatus, FaceTrack

__all__ = [
    "CROP_PX",
    "PX_PER_IOD",
    "Choice",
    "FaceStatus",
    "FaceTrack",
    "MouthCrops",
    "by_index",
    "choice_of",
    "largest",
    "like_photo",
    "stabilise",
]
