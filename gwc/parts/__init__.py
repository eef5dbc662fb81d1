"""The parts of a city, each made from settings and served as a process of its own.

One module a part: a district's process loads neither the gateway nor the overlay. `gwc.embedded` puts the same parts
into one process.
"""
