"""Python itself as the oracle: random programs are run over all branch outcomes and compared with what is claimed.

`programs` writes a program, `stub` is the world it runs in, `run` explores it, `compare` sets what was observed
against what an analysis claims, `shrink` cuts a failing program down. In bulk:

    python -m tests.oracle --count 20000 --seed 1 --jobs 2
"""
