"""The object store: bytes under their SHA-256, in compressed packs that are written once and never changed.

`store` is the way in: `Store.open(directory)`, then `writer()`, `reader()`, `missing`, `gc`, `verify`, `usage`,
`export_to` and `import_from`. It knows neither paths nor checkpoints: who keeps objects says which are still wanted.
The format on disk is `docs/format/store.md`; where the bytes lie is a `Backend` (`local` is the one on a disk).
"""
