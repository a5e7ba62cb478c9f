# claim: raises TypeError "can't convert"
# device: accelerator
"""A table that is made on the device and plotted

A module makes its tables on the device that it is told to use. The method that draws one was written where that device
was the CPU.
"""
import numpy as np
import torch


class Positions:
    def __init__(self, length, width, device):
        self.device = torch.device(device)
        self.table = torch.zeros(length, width, device=self.device)

    def as_image(self):
        return np.flipud(self.table.numpy())


positions = Positions(6, 4, "cuda")
print(positions.as_image())
