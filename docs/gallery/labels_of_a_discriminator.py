# claim: raises RuntimeError "Found dtype Long but expected Float"
"""Labels of a discriminator that are whole numbers

`torch.full` takes the dtype of what it is filled with, once float32 whatever that was. The labels are the numbers 1 and
0, so they are int64 now, and the loss wants the dtype of the probabilities.
"""
import torch
from torch import nn

discriminator = nn.Sequential(nn.Linear(4, 1), nn.Sigmoid())
criterion = nn.BCELoss()
real_label = 1
fake_label = 0

for real in torch.randn(3, 8, 4):
    label = torch.full((real.size(0), 1), real_label)
    loss = criterion(discriminator(real), label)
    loss.backward()
    label.fill_(fake_label)
    loss = criterion(discriminator(torch.randn(8, 4)), label)
    loss.backward()
