"""`python -m evalguard` is the command `evalguard`."""

import sys

from evalguard.cli import main

sys.exit(main())
