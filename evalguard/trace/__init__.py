"""A program is run, and what happens to the modes of its modules is compared with what the check of its text says.

    launch.py (as `python` does) -> recorder.py (hooks in PyTorch) -> sightings -> compare.py (plain data) -> verdicts

Nothing here is loaded by any other command: only `evalguard trace` runs code of a user.
"""
