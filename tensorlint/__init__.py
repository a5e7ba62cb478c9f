"""tensorlint: follows tensors and arrays across the PyTorch/NumPy boundary and reports where they break."""

__version__ = "0.1.0"
