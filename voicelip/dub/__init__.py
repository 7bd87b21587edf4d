"""Dubbing: a clip and its translated subtitles to a finished dub, in a folder from which it can be resumed."""
