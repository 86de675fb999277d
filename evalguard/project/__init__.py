"""Files together: what names mean, which function calls which, and what follows for every function."""
