"""Many packages, each judged by itself: `evalguard corpus LIST`.

    LIST -> entries -> shard -> [ archive -> unpacked -> judged, in a process with limits ] -> one line of JSON each

The facts of a project do not depend on any other project, so entries may be judged in any order, on any machine, and
the results are one file after another. Nothing of a package is built, imported or run.
"""
