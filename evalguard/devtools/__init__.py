"""Tools for those who work on evalguard, in a clone of its repository: `python -m evalguard.devtools`.

Nothing else imports this package, and it needs nothing that evalguard does not need anyway.
"""
