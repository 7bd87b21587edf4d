"""Dubbing: a clip and its translated subtitles to a finished dub, in a folder that it is resumed from."""
