"""Cures: candidates for a finding, the proof that one of them holds, and how a mended file is written.

    finding -> candidates.py -> proof.py -> edits.py -> write.py
               one module        the whole   the text     the file
               for each cure     project     as mended    as it was, but for the edits
               asks script.py    once more

A candidate is a guess and may be wrong: only the proof counts (see `proof.py`). So candidates ask the standard
library's `ast` where a statement stands and how it is indented, and nothing more; they are edits of the text, and what
they do not touch keeps every byte. No tree is ever printed.
"""
