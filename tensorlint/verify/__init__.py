"""Claims are executed here, in child processes, on the torch and the NumPy of the user.

Importing this package imports neither of them: only a child does.
"""
