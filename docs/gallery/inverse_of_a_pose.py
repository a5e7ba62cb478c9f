# claim: raises TypeError "expected np.ndarray"
# requires: numpy>=2.0
"""An inverse that is no array

NumPy's linear algebra hands back the kind of thing it was given. Since NumPy 2 the inverse of a tensor is a tensor, and
`from_numpy` takes arrays only.
"""
import numpy as np
import torch

pose = torch.eye(4)
pose[:3, 3] = 0.5
world_to_camera = torch.from_numpy(np.linalg.inv(pose))
print(world_to_camera)
