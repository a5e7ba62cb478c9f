"""Execution of the knowledge tables. These modules import torch and NumPy: they belong in a child process.

``arguments`` and ``recipes`` say what to call a function with, ``observing`` looks at what comes back, and ``rows``
compares it with a row of a table. ``schemas`` holds the tables against the alias annotations of PyTorch's operators,
``handed`` hands tensors to NumPy functions, and ``unchanged`` asks whether an export in the open changes anything.
"""
