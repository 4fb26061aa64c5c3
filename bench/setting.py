"""What every row is given."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Setting:
    """How much to measure, the source of chance, and where the scripted model answers."""

    quick: bool
    rng: Random
    model_url: str

    def rounds(self, count: int) -> int:
        """Return how many rounds to run: one where only the running is tried."""
        return 1 if self.quick else count

    def size(self, full: int, small: int) -> int:
        """Return `full`, or `small` where only the running is tried."""
        return small if self.quick else full
