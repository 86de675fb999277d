"""What a run keeps for the next one: the facts of files, and the findings of runs on which nothing changed.

`kept` says under which keys, and never runs what it reads; `database` is the file that holds them.
"""
