"""A dataset of token ids and bounding boxes, read from arrays."""

import numpy as np
import torch
from torch.utils.data import Dataset


class Annotations(Dataset):
    def __init__(self, tokens: np.ndarray, boxes: np.ndarray):
        self.tokens = tokens.astype(np.int64)
        self.boxes = boxes
        self.scratch = np.zeros((16, 4), dtype=np.float32)

    def __len__(self):
        return len(self.tokens)

    def __getitem__(self, index):
        ids = torch.Tensor(self.tokens[index])  # float32, whatever the ids were: large ones change
        self.scratch[:] = 0
        self.scratch[: len(self.boxes[index])] = self.boxes[index]
        return ids, torch.from_numpy(self.scratch)  # every item is the same memory
