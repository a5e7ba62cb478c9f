# claim: raises TypeError "unsupported operand type(s) for *: 'numpy.ndarray' and 'Tensor'"
"""A mask of NumPy for images of torch

The mask is drawn and turned as a picture, and never becomes a tensor; the noise beside it is one.
"""
import numpy as np
import torch


def grid_mask(images, ratio, seed=0):
    rng = np.random.default_rng(seed)
    height, width = images[0].shape[-2:]
    mask = (rng.random((height, width)) > ratio).astype(np.float32)
    mask = 1 - mask[:, :, None]
    noise = torch.from_numpy(2 * (rng.random((height, width)) - 0.5)).float()
    return [image * torch.from_numpy(mask[..., 0]) + mask * noise for image in images]


grid_mask([torch.rand(3, 4, 4)], ratio=0.5)
