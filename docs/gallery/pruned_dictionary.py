# claim: raises KeyError "tensor(4)"
"""Words that are looked up by a tensor

Sorting the frequencies of words gives their numbers as a tensor, and each element of it is a tensor. A dictionary finds
a tensor by its identity only, so that none of them is the number it stands for.
"""
import torch

words = dict(enumerate(["the", "a", "tensor", "array", "of"]))
frequencies = torch.tensor([3.0, 7.0, 1.0, 2.0, 9.0])
_, order = torch.sort(frequencies, descending=True)

kept = {}
for number in order[:3]:
    kept[words[number]] = len(kept)
print(kept)
