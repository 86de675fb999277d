"""The forms of a rule's documentation, one file each."""
