# claim: raises RuntimeError "requires grad"
"""A norm of parameters that goes through NumPy

The sum of the squares of parameters needs a gradient like they do. NumPy's square root asks for an array of it, which
it may not have.
"""
import numpy as np
from torch import nn


def norm_of_weights(network):
    total = 0
    for parameter in network.parameters():
        total = total + (parameter**2).sum()
    return np.sqrt(total)


print(norm_of_weights(nn.Linear(3, 2)))
