# claim: raises TypeError "can't convert"
# device: accelerator
"""The errors that a replay memory is told

A memory that prefers what surprised the network is told the errors of a batch. It computes with NumPy, and the errors
are where the networks are.
"""
import numpy as np
import torch
from torch import nn

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
local, target = nn.Linear(4, 2).to(device), nn.Linear(4, 2).to(device)
states = torch.from_numpy(np.eye(4, dtype=np.float32)).to(device)

errors = (target(states) - local(states)).detach().numpy()
print(np.abs(errors).max())
