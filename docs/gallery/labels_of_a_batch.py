# claim: raises TypeError "can't convert"
# device: accelerator
"""Labels that went to the device with their batch

The loss needs the labels where the network is. The report of the batch is made with NumPy, of the same labels.
"""
import numpy as np
import torch
from torch import nn

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
network = nn.Linear(3, 4).to(device)
for points, labels in [(torch.ones(2, 3), torch.tensor([0, 3]))]:
    points, labels = points.to(device), labels.to(device)
    loss = nn.functional.cross_entropy(network(points), labels)
    loss.backward()
    print(f"{loss.item():.3f} over the classes {np.unique(labels.data.numpy())}")
