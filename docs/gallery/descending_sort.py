# claim: raises ValueError "negative"
"""A descending sort that cannot become a tensor

NumPy has no option for descending order, so the order is turned round by a step of -1. That is a view with a negative
stride, which torch does not take.
"""
import numpy as np
import torch


def sort_by(scores, ascending=True):
    order = np.argsort(scores)
    if not ascending:
        order = order[::-1]
    return torch.tensor(order)


print(sort_by(np.array([0.2, 0.9, 0.4]), ascending=False))
