"""What a run keeps for the next one: the facts of files, and the findings of runs on which nothing changed.

`codec` turns plain data into bytes and back, and never runs what it reads; `database` is the file that holds them.
"""
