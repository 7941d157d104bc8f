"""Imported by nobody who says so."""
