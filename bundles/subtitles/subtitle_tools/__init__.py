"""Reads, retimes and writes SRT subtitles."""
