# claim: raises TypeError "Object of type ndarray is not JSON serializable"
"""Arrays in a report

An evaluation returns its figures and, for the plots, its arrays. At the very end all of it is to be written as JSON,
which knows no arrays: the report of the run is lost.
"""
import io
import json

import numpy as np
import torch
from torch import nn


def evaluate(model, batches):
    model.eval()
    wanted, given = [], []
    with torch.no_grad():
        for inputs, labels in batches:
            given.append(model(inputs).argmax(dim=1).numpy())
            wanted.append(labels.numpy())
    wanted, given = np.concatenate(wanted), np.concatenate(given)
    return {"accuracy": float((wanted == given).mean()), "wanted": wanted, "given": given}


batches = [(torch.rand(4, 3), torch.randint(2, (4,))) for _ in range(3)]
results = evaluate(nn.Linear(3, 2), batches)
with io.StringIO() as file:
    json.dump(results, file, indent=2)
