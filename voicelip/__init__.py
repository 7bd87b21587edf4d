"""voicelip: speech in a consenting person's voice, and their own footage with the lips to match."""

__version__ = "0.1.0"
