# claim: value type(total.grad_fn).__name__ is 'AddBackward0'
"""A running loss that keeps every graph

The losses of an epoch are added up for a message at its end. They are tensors with their graphs, which stay in memory
until the sum is gone.
"""
import torch
from torch import nn

encoder = nn.Linear(8, 4)
optimizer = torch.optim.SGD(encoder.parameters(), lr=0.01)
total = 0
for step in range(4):
    optimizer.zero_grad()
    loss = encoder(torch.ones(2, 8)).pow(2).mean()
    loss.backward()
    optimizer.step()
    total = total + loss
print(f"loss of the epoch: {total / 4:.3f}")
