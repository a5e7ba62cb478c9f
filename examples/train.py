"""Train a small classifier, keep the best weights, plot what the network has learned.

Three mistakes are in here, and none of them shows on a laptop without a GPU or in a run of one epoch.
"""

import numpy as np
import torch
from torch import nn


def train(model, loader, epochs=20):
    device = torch.device("cuda")
    model.to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4)
    best, best_loss = None, float("inf")
    history = []
    for _ in range(epochs):
        for images, labels in loader:
            images, labels = images.to(device), labels.to(device)
            loss = nn.functional.cross_entropy(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            history.append(loss.numpy())  # on the GPU, and it needs gradients: raises
        if history[-1] < best_loss:
            best_loss = history[-1]
            best = model.state_dict()  # not a copy: keeps changing while training goes on
    model.load_state_dict(best)
    return np.stack(history)


def filters(model: nn.Sequential) -> np.ndarray:
    return np.asarray(model[0].weight)  # a parameter needs gradients: raises
