# claim: value sorted(order.tolist()) == list(range(200)) is False
"""Indices that are shuffled twice into one place

`np.random.shuffle` swaps elements by way of views. Of a tensor an element is a view that changes with the swap, so some
samples are seen twice in an epoch and others never.
"""
import numpy as np
import torch

np.random.seed(0)


def batches(samples, size):
    indices = torch.arange(samples)
    np.random.shuffle(indices)
    return [indices[start : start + size] for start in range(0, samples, size)]


order = torch.cat(batches(200, 32))
