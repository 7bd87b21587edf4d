"""Consent for the tests: records made of their media, by the way that users have."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from voicelip.consent.making import Agreed, make
from voicelip.face.points import LEFT_EYE_OUTER, RIGHT_EYE_OUTER, inter_ocular_px
from voicelip.hashing import content_hash
from voicelip.trust import consent_store
from voicelip.trust.consent import Consent, Medium, issue, today
from voicelip.trust.likeness import NETWORKS, Kind, Likeness


def agreed(faces: tuple[Path, ...] = (), voices: tuple[Path, ...] = (), **other: Any) -> Agreed:
    """What a test person agrees to: everything, in any language, until tomorrow, unless told otherwise."""
    usual = {"subject": "Test Person", "purposes": ("tests",), "languages": ("any",)}
    return Agreed(
        **{**usual, "expires": today() + timedelta(days=1), "faces": faces, "voices": voices, **other}
    )


def consent(*, face: Path | None = None, voice: Path | None = None, **other: Any) -> Consent:
    """A record that covers this face and this voice, kept where the pipeline finds it."""
    return make(agreed((face,) if face else (), (voice,) if voice else (), **other))


def another_face(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The picture (H, W, 3) with the face (478, 2+) remodelled into somebody else's."""
    between = points[[LEFT_EYE_OUTER, RIGHT_EYE_OUTER], :2].mean(axis=0)
    unit = float(inter_ocular_px(points))
    height, width = image.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    u, v = (x - between[0]) / unit, (y - between[1]) / unit

    def near(across: float, down: float, reach: float) -> np.ndarray:
        return np.exp(-((u - across) ** 2 + (v - down) ** 2) / (2 * reach**2))

    eyes = [(side, near(side, 0, 0.22)) for side in (-0.5, 0.5)]
    across = sum(0.9 * (side - u) * where for side, where in eyes)
    across = across - 0.9 * u * near(0, 1.1, 0.35) - 0.9 * u * near(0, 0.6, 0.25)
    down = sum(-0.9 * v * where for _, where in eyes) - 0.9 * (v - 1.1) * near(0, 1.1, 0.35)
    down = down - 0.25 * np.clip(v, 0, 2) - 0.3 * np.clip(-v, 0, 2)
    x, y = (x + unit * across).astype(np.float32), (y + unit * down).astype(np.float32)
    return cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def vouched_for(*files: Path, kind: Kind) -> Consent:
    """A record of files that may be damaged, or show nobody: it covers their bytes, as its issuer says."""
    nobody = Likeness.of(kind, np.ones(NETWORKS[kind][1]))
    media = tuple(Medium(kind, content_hash(file), nobody) for file in files)
    made, text = issue("Test Person", agreed().scope, media)
    consent_store.keep(made, text)
    return made
