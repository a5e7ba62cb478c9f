# claim: raises TypeError "expected np.ndarray (got Tensor)"
"""A tensor that is taken for an array

The images were arrays once. They are tensors now, and on the way to a smaller size they are still made tensors of.
"""
import torch


def align(images: torch.Tensor, max_res=None):
    if max_res is not None:
        scale = torch.min(max_res / torch.tensor(images.shape[-2:]))
        if scale < 1:
            smaller = torch.nn.Upsample(scale_factor=scale.item(), mode="nearest")
            images = smaller(torch.from_numpy(images)).numpy()
    return images


align(torch.rand(2, 1, 16, 16), max_res=8)
