# claim: value best < last is True
# claim: value restored == last is True
"""Best weights that are the last ones

Early stopping keeps what `state_dict()` returns when the validation loss is lowest, and restores it at the end. What it
kept are references to the live parameters, so that every step since has changed them as well.
"""
import torch
from torch import nn

torch.manual_seed(0)


def validate(model, inputs, targets):
    with torch.no_grad():
        return nn.functional.mse_loss(model(inputs), targets).item()


def fit(model, inputs, targets, epochs=6):
    optimizer = torch.optim.SGD(model.parameters(), lr=1.2)
    best_loss, best_state, losses = float("inf"), None, []
    for _ in range(epochs):
        optimizer.zero_grad()
        nn.functional.mse_loss(model(inputs), targets).backward()
        optimizer.step()
        losses.append(validate(model, inputs, targets))
        if losses[-1] < best_loss:
            best_loss, best_state = losses[-1], model.state_dict()
    model.load_state_dict(best_state)
    return best_loss, losses[-1]


inputs = torch.ones(8, 1)
net = nn.Linear(1, 1)
best, last = fit(net, inputs, inputs * 3)
restored = validate(net, inputs, inputs * 3)
