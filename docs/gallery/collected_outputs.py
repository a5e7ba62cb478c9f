# claim: raises TypeError "can't convert"
# device: accelerator
"""Outputs that are collected on the GPU

What a model gives for each batch is gathered in a list, put together, and exported. Under `no_grad` no gradient is in
the way, but all of it is still where the model is.
"""
import torch
from torch import nn


def reconstruct(model, batches):
    rows = []
    model.eval()
    with torch.no_grad():
        for batch in batches:
            rows.append(model(batch.to("cuda")))
    return torch.cat(rows, dim=0).numpy()


autoencoder = nn.Linear(4, 4).to("cuda")
print(reconstruct(autoencoder, [torch.ones(2, 4), torch.zeros(2, 4)]))
