"""Fixpoints and paths over control-flow graphs. Knows no torch: a state is whatever the analysis says it is."""
