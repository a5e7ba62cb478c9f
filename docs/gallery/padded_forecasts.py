# claim: raises AttributeError "'numpy.ndarray' object has no attribute 'new_full'"
"""Forecasts that have become an array

What is scaled back goes through NumPy, and comes back as an array. The code that draws it was written for the tensor
of before: it pads with `new_full`.
"""
import numpy as np
import torch


def predict(batches, mean, scale):
    outputs = torch.cat([batch.mean(dim=2) for batch in batches]).numpy()
    return np.stack([outputs[:, step] * scale + mean for step in range(outputs.shape[1])], axis=-1)


forecasts = predict([torch.rand(4, 6, 3) for _ in range(2)], mean=2.0, scale=5.0)
padding = forecasts.new_full((8, 2), fill_value=float("nan"))
print(torch.cat((padding, forecasts), dim=1).shape)
