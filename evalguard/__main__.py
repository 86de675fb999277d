"""`python -m evalguard` is the command `evalguard`.

`-m` puts the working directory before all else that is importable, and that may be a project whose `click.py` or
`json.py` is not what we mean: it is taken away before anything more is loaded. What Python itself loads before that
cannot be kept from it; the command `evalguard` and `python -P -m evalguard` never look there.
"""

import os
import sys

if not getattr(sys.flags, "safe_path", False) and sys.path and sys.path[0] in ("", os.getcwd()):
    del sys.path[0]

from evalguard.cli import main

sys.exit(main())
