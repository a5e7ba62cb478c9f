# claim: value image.device.type is 'cpu'
"""A tensor that is moved, and stays

A module is moved where it is, a tensor is not: `.to()` gives another. As a statement it does nothing, and the image
that a network is given stays on the CPU, in its dtype and in its graph.
"""
import numpy as np
import torch
from torch import nn


class Predictor:
    def __init__(self, network, device):
        self.device = device
        self.network = network.to(device)

    def prepare(self, picture):
        image = torch.as_tensor(picture.astype("float32").transpose(2, 0, 1))
        image.to(self.device)
        return image[None]


predictor = Predictor(nn.Conv2d(3, 4, 3), torch.device("meta"))
image = predictor.prepare(np.zeros((8, 8, 3), dtype=np.uint8))
print(image.device, next(predictor.network.parameters()).device)
