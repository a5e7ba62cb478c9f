"""Inference, specified by small programs that say what is known (``programs/*.md``)."""
