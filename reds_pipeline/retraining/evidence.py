"""What the rule about retraining is told.

What belongs here: the evidence as plain numbers, and the operator's limits. What does not:
measuring it, and what follows from it (``paces.py``, ``advice.py``).
"""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Limits:
    """Between which intervals the operator lets the rule choose.

    Attributes:
        min_days: Days that lie between two trainings at least.
        max_days: Days after which a training is due whatever was measured, if anything is new.

    Raises:
        ValueError: They are negative, or the wrong way round.
    """

    min_days: float
    max_days: float

    def __post_init__(self) -> None:
        """Refuse limits that no interval fits into."""
        if not 0 <= self.min_days <= self.max_days:
            raise ValueError(f"no interval lies between {self.min_days} and {self.max_days} days")


@dataclass(frozen=True)
class Evidence:
    """What was measured. None is what is not known (yet).

    Attributes:
        at: When, ISO 8601 in UTC.
        has_champion: Whether a model serves.
        has_changed: Whether a training would learn from anything else than the last one did.
        pictures: Pictures that may be learnt from now.
        days_since_training: Since the last training ended, whichever model serves; None if there
            was none.
        champion_days: Since the training of the standing model.
        learnt_pictures: What the last training was given to learn from and to test with.
        new_pictures: Of ``pictures``, those that the last training did not have.
        withdrawn_pictures: What the standing model has seen and was withdrawn since.
        classes_entered: To be learnt now and unknown to the standing model.
        classes_left: Known to it and not to be learnt any more.
        tag_half_life_days: After which half of the top tags, beyond what a sample misses by chance,
            are others.
        tag_days_seen: The longest time between two kept samples.
        tag_retention: Share of the top tags that was still there after ``tag_days_seen``.
        tested_new: New pictures on which the standing model was measured.
        accuracy_before: Of the standing model on its frozen test, with the class shares of the new
            pictures.
        accuracy_new: Of the standing model on them.
        accuracy_new_low: Lower end of its 95 % interval.
        accuracy_new_high: Its upper end.
        accuracy_loss: ``accuracy_before`` less ``accuracy_new``.
        accuracy_loss_low: Lower end of its 95 % interval.
        accuracy_loss_high: Its upper end.
        auc: How well new pictures can be told from those learnt: 0.5 not at all, 1 always.
        auc_low: Lower end of its 95 % interval.
        auc_high: Its upper end.
        auc_baseline: What random splits of as many of those learnt give.
        auc_chance: What 95 of 100 such splits stay below.
        class_share_change: Part of the pictures that would have to change class for the shares of
            classes to be as they were (total variation), 0 to 1.
    """

    at: str
    has_champion: bool = False
    has_changed: bool = True
    pictures: int = 0
    days_since_training: float | None = None
    champion_days: float | None = None
    learnt_pictures: int = 0
    new_pictures: int = 0
    withdrawn_pictures: int = 0
    classes_entered: tuple[str, ...] = ()
    classes_left: tuple[str, ...] = ()
    tag_half_life_days: float | None = None
    tag_days_seen: float | None = None
    tag_retention: float | None = None
    tested_new: int = 0
    accuracy_before: float | None = None
    accuracy_new: float | None = None
    accuracy_new_low: float | None = None
    accuracy_new_high: float | None = None
    accuracy_loss: float | None = None
    accuracy_loss_low: float | None = None
    accuracy_loss_high: float | None = None
    auc: float | None = None
    auc_low: float | None = None
    auc_high: float | None = None
    auc_baseline: float | None = None
    auc_chance: float | None = None
    class_share_change: float | None = None

    def numbers(self) -> dict[str, float | None]:
        """Return all that are numbers, by the names of the columns they are kept in."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            name: None if value is None else float(value)
            for name, value in values.items()
            if not isinstance(value, str | tuple)
        }
