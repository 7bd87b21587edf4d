"""What a file says of itself: content credentials in every output, and their verification.

Nothing here knows how speech or pictures are made; whoever made them describes it in a `Claim`.
"""

from voicelip.trust.claim import Claim, Model, Source

__all__ = ["Claim", "Model", "Source"]
