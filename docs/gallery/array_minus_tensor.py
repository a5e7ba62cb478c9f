# claim: raises TypeError "unsupported operand"
"""A residual of an array and a tensor

The last lines of a script compare what a network has learned with what was measured. One is a tensor, the other an
array, and after all the training the subtraction raises.
"""
import numpy as np
import torch

seconds = torch.linspace(0.0, 1.0, 5)
measured = np.zeros(5)
residual = measured - np.sin(seconds)
print(residual)
