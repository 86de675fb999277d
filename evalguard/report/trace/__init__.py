"""How a traced run looks: one module for each form, one function `render(traced) -> str` in it."""
