"""How the picture of a project looks (see `callgraph`): one module for each form, one function `render` in it."""
