"""Input that nobody writes who means well: each is one clear finding or judged, and all else beside it is judged."""
