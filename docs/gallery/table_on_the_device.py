# claim: raises TypeError "can't convert"
# device: accelerator
"""A table that is made on the device and plotted

A module makes its tables on the device that it is told to use. The method that draws one was written where that device
was the CPU.
"""
import numpy as np
import torch


class Positions:
    def __init__(self, length, width):
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.table = torch.zeros(length, width).to("cuda")

    def as_image(self):
        return np.flipud(self.table.numpy())


positions = Positions(6, 4)
print(positions.as_image())
