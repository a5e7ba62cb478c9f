# claim: raises TypeError "unsupported operand"
"""Numbers that nobody read out of a map

In Python 2 `map` gave a list. Today it gives an iterator, of which NumPy makes an array without dimensions that holds
the iterator itself.
"""
import numpy as np

line = "7 0.5 -1.0 2.0 camera.png"
translation = np.array(map(float, line.split()[1:4]))
print(translation / 2.0)
