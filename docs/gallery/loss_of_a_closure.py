# claim: value type(total.grad_fn).__name__ is 'AddBackward0'
"""A closure that adds up the losses of all batches

LBFGS asks for the loss of the whole data set. Each batch has had its backward pass already; the sum that is returned
holds on to all graphs, where a number is wanted.
"""
import torch
from torch import nn

model = nn.Linear(2, 1)
batches = [torch.ones(4, 2), torch.zeros(4, 2)]
optimizer = torch.optim.LBFGS(model.parameters(), max_iter=2)


def closure():
    optimizer.zero_grad()
    total = torch.tensor(0.0)
    for batch in batches:
        loss = (model(batch) - 1).pow(2).mean()
        loss.backward()
        total += loss
    return total


total = closure()
optimizer.step(closure)
