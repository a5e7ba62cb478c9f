"""A wing of its own: runs the fixture programs and says whether what their headers claim happens.

Nothing here imports torch or NumPy. The processes it starts do (``inside``), under an interpreter that may be another
one than this.
"""
