"""Sealing: contents that only the holder of a key can read, and where that key is kept.

`content` is the format (docs/format/sealed.md) and knows no place for keys; `keys` chooses the key; `keepers` are the
places: the system's keyring, asked by a process of its own (`ask`), or a file.
"""
