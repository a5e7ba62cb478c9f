# claim: raises RuntimeError "Can't call numpy() on Tensor that requires grad"
"""A helper of a block that is over

The helper is defined under `torch.no_grad()` and called behind it. What counts is where it runs, not where it is
written: the scores have a graph, and NumPy cannot take them.
"""
import numpy as np
import torch
from torch import nn

model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2))
rows = np.random.rand(20, 3).astype(np.float32)

with torch.no_grad():

    def share_of_attacks(data):
        shares = []
        for start in range(0, len(data), 8):
            scores = torch.softmax(model(torch.from_numpy(data[start : start + 8])), dim=-1)
            shares.append((1 - scores[:, 0]).cpu().numpy())
        return np.concatenate(shares)


print(share_of_attacks(rows).mean())
