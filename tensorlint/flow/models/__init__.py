"""What calls mean, one library area a module.

A model is a function of the machine and the call. Those of functions are registered by dotted name (``registry``);
those of methods stand with the kind of value they are called on.
"""
