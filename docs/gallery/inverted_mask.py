# claim: raises RuntimeError "bool tensor is not supported"
"""A mask that is subtracted from one

Comparisons gave bytes once, and one minus a mask was the other half. They have given bools since torch 1.2, and
subtraction of those raises.
"""
import torch


def collate(rows, pad=0):
    width = max(len(row) for row in rows)
    source = torch.tensor([row + [pad] * (width - len(row)) for row in rows])
    mask = 1 - (source == pad)
    return source, mask


print(collate([[5, 3], [7]]))
