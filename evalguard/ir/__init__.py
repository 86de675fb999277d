"""The neutral form of a Python file: graphs of ops as plain data. Knows neither LibCST nor torch."""
