"""How a cloned voice speaks a language that its stock voices do not: with a share of a native's timbre style.

The engine knows some sounds only together with the styles of those who say them. A style of English voices
makes "le temple" of "le train"; with a share of a French one the sounds are there, and the person still is.
"""

from collections.abc import Sequence

import numpy as np

from voicelip.speech.voices import StockVoices, stock_voices

TIMBRE = 128  # of the 256 numbers of a style; the rest is prosody
# First letters of the names of the voices that speak a language natively, and the share that is enough.
NATIVES = {"fr-fr": ("f", 0.5), "es": ("e", 0.3), "pt-br": ("p", 0.3), "it": ("i", 0.3), "hi": ("h", 0.3)}


def accented(
    style: np.ndarray, mixture: Sequence[tuple[str, float]], embedding: np.ndarray, lang: str
) -> np.ndarray:
    """(510, 256) float32: `style` with so much of a native voice as the language needs.

    The native voice is the one nearest to the speaker's GE2E `embedding` (256,). What the `mixture` that the
    style was made from holds of native voices counts.
    """
    letter, wanted = NATIVES.get(lang, ("", 0.0))
    share = wanted - sum(weight for name, weight in mixture if name[0] == letter)
    if share <= 0:
        return style
    native = stock_voices().style(_nearest(stock_voices(), letter, embedding))
    table = style.copy()
    table[:, :TIMBRE] += np.float32(share) * (native[:, :TIMBRE] - style[:, :TIMBRE])
    return table


def _nearest(stock: StockVoices, letter: str, embedding: np.ndarray) -> str:
    natives = [i for i, name in enumerate(stock.names) if name[0] == letter]
    return stock.names[max(natives, key=lambda i: float(stock.embeddings[i] @ embedding))]
