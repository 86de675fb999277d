"""The language server: what is found, mended and claimed, in an editor, on texts that are not saved.

    editor  <-- JSON-RPC -->  server.py            <-- pickles -->  worker.py, one process for each folder
                              answers at once                       links the folder, and is interrupted by any edit

An edit is judged twice. First *near*: the definitions that were edited, those that lead to them and what these use
(`near.py`), as if they were the whole project; all else keeps what was found in it, on the lines to which it has moved
(`moved.py`). Then, when the typing stops, the whole folder is *linked* anew, of which only the changed files are read.

jobs.py         what goes to a worker and comes back        outline.py      the definitions of a text, by their names
process.py      a worker, as the server sees it             session.py      a folder, and what is known of it
positions.py    spans, and ranges of the protocol           diagnostics.py, hints.py, hover.py, actions.py

Only `server.py` and what is shown know pygls and the protocol. A worker imports neither, and nobody imports the code
that is analysed: the worker's path is set before anything is imported, so not even by a name (see `process.py`).
"""
