"""Files of other programs, and our own private ones: read, planned, locked, swapped in whole, never half written.

`editor` changes a file that others change too; `json_text`, `toml_text` and `text_block` are the pure edits that
it applies; `atomic` and `private` write what is ours alone.
"""
