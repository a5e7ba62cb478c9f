"""What is known of a program's objects: facts, memory, values, and how what two paths know is joined.

Nothing in here holds or reads syntax: places are ``Site``s. So what was learned of one file can be compared, pickled
and joined with what was learned of others.
"""
