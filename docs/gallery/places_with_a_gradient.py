# claim: raises TypeError "new()"
"""A constructor of before that is asked for a gradient

`torch.LongTensor` and its kin are constructors of before torch 0.4: they know no `requires_grad`, and integers have no
gradient.
"""
import torch

vocabulary = {"<s>": 1, "</s>": 2}
start = torch.LongTensor([vocabulary["<s>"] for _ in range(4)], requires_grad=True)
print(start)
