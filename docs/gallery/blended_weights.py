# claim: value blended is [[2.0]]
# claim: value halfway is [[1.5]]
"""A blend of the new weights with themselves

The weights from before an update are kept, the model is trained, and the two are averaged. The old ones are the live
ones: the average of the new weights and the new weights is what is loaded.
"""
import torch
from torch import nn


class Trainer:
    def __init__(self):
        self.model = nn.Linear(1, 1, bias=False)
        nn.init.ones_(self.model.weight)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=1.0)

    def train(self):
        self.optimizer.zero_grad()
        self.model(torch.full((1, 1), -1.0)).sum().backward()
        self.optimizer.step()

    def update(self, share=0.5):
        before = self.model.state_dict()
        self.train()
        after = self.model.state_dict()
        blend = {key: share * before[key] + (1 - share) * after[key] for key in after}
        self.model.load_state_dict(blend)


trainer = Trainer()
first = trainer.model.weight.detach().clone()
trainer.update()
blended = trainer.model.weight.tolist()
halfway = ((first + 2.0) / 2).tolist()
