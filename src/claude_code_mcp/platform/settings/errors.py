"""What may be wrong with a setting."""

from claude_code_mcp.kernel.errors import Invalid


class UnknownSetting(Invalid):
    """There is no setting of that name."""

    code = "unknown_setting"


class InvalidSetting(Invalid):
    """A value does not fit; the message says which, where it came from, and what would fit."""

    code = "invalid_setting"


class UnsafeConfig(Invalid):
    """Others can write `config.toml`, so that it may name programs that are not the user's choice."""

    code = "unsafe_config"
