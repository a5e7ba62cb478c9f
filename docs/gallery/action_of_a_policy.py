# claim: raises TypeError "can't convert"
# device: accelerator
"""An action that is still on the GPU

An agent puts the state on the device of its network, asks the network, and hands the action to an environment, which
computes with NumPy.
"""
import torch
from torch import nn

device = torch.device("cuda")


class Agent:
    def __init__(self, states, actions):
        self.policy = nn.Linear(states, actions).to(device)

    def act(self, state):
        state = torch.as_tensor(state, dtype=torch.float32).to(device)
        with torch.no_grad():
            action = self.policy(state)
        return action.numpy()


print(Agent(3, 2).act([0.1, 0.2, 0.3]))
