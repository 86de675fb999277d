"""What the ops mean for the modes of modules: abstract values, the state of a path, and what each op does to it."""
