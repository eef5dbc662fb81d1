"""`gwc backup` and `gwc restore`: what the city keeps of its own, as one folder of files.

The overlay's store and the custody books belong together: what a book has done, a step in the overlay stands for. So a
backup is one cut through all of them:

    hold the overlay's writers ─▶ open a snapshot of every store ─▶ let the writers go ─▶ copy at leisure

While no step can be written or recorded, a book can do at most what a written step tells it. So after a restore each
book has done all that the overlay recorded as done, and what it did beyond that the overlay still has open: the same
idempotency key settles it. Files of attachments and anchors never change once they lie there, so they are copied last.

- `stores`: which stores there are, and how far their tables have come
- `snapshot`: reading them at one moment; `rows`: their rows as lines of JSON, the same for every engine
- `manifest`: what is in the folder, with digests, signed
"""
