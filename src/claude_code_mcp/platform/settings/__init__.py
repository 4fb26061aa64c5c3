"""How this program is set: flags before environment before `config.toml` before defaults, in one frozen object.

Everything a setting is (type, default, unit, bounds, names in the environment) is declared once, in `model`.
`client_env` is standard library only, because the relay needs it.
"""
