"""Every setting of REDS, typed, documented and read in one place.

What belongs here: the settings and where they come from. What does not: acting on them. Nothing
else in the project reads the environment. A value is taken from the first of: an argument, the
environment (``REDS_*``), ``<REDS_HOME>/reds.toml``, ``./reds.toml``, the default.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from reds_pipeline.errors import RedsError
from reds_pipeline.imaging.quality import GATES

SETTINGS_FILE = "reds.toml"


def _split_names(value: Any) -> Any:
    """Turn ``"a, b"`` into its names; lists (from TOML) pass unchanged."""
    if isinstance(value, str):
        return tuple(name.strip() for name in value.split(",") if name.strip())
    return value


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split_names)]


class Settings(BaseSettings):
    """What an operator can choose; the environment name is ``REDS_`` and the name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix="REDS_",
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        env_ignore_empty=True,
    )

    home: Path = Field(Path(".reds"), description="Everything REDS keeps lies below it.")
    dagster_home: Path | None = Field(
        None,
        validation_alias="DAGSTER_HOME",
        description="Dagster's own directory (no REDS_ before its name); below home if empty.",
    )
    host_url: str = Field(
        "", description="The instance to learn from, such as https://pix.example."
    )
    host_token: SecretStr = Field(SecretStr(""), description="Bearer token with scope `read`.")
    contact: str = Field(
        "", description="Address of the operator, shown to hosts in the User-Agent."
    )
    sample_posts: int = Field(
        1000, ge=1, description="Newest posts to count hashtags in (R-TAG-1)."
    )
    class_count: int = Field(5, ge=2, description="Classes to choose (R-CLS-1).")
    classes: Names = Field((), description="Classes to use instead of choosing them.")
    raw_per_class: int = Field(2000, ge=1, description="Images to collect per class (R-SCR-2).")
    images_per_class: int = Field(1000, ge=1, description="Images to keep per class (R-SCR-10).")
    min_images_per_class: int = Field(
        50, ge=1, description="Fewer kept images than this and the class fell short."
    )
    perceptual_radius: int = Field(
        8,
        ge=0,
        le=16,
        description="Largest Hamming distance of two copies of one picture (R-SCR-7).",
    )
    quality_drops: Names = Field(
        tuple(gate.name for gate in GATES if gate.drops),
        description="Quality gates that drop a picture; the others only flag it (R-SCR-5).",
    )
    open_licences_only: bool = Field(
        False, description="Keep only media under a Creative Commons licence or public domain."
    )
    indexable: Literal["strict", "respect_if_present"] = Field(
        "respect_if_present",
        description="Whether a missing `indexable` flag counts as consent.",
    )
    obey_ai_robots: bool = Field(
        True, description="Treat a robots.txt refusal of any known AI-training agent as ours."
    )
    feed: Literal["local", "federated"] = Field(
        "local",
        description="Posts of the host itself, or also what it got from other approved hosts.",
    )
    requests_per_second: float = Field(
        1.0, gt=0, description="Pace towards the API of each host but loopback."
    )
    requests_per_run: int = Field(
        5000, ge=20, description="API requests that one collection or re-check may cost a host."
    )
    media_per_second: float = Field(
        2.0, gt=0, description="Pictures a second from each media host but loopback."
    )
    media_per_run: int = Field(
        5000, ge=1, description="Pictures that one collection may ask of one media host."
    )
    recheck_after_hours: float = Field(
        20.0,
        ge=0,
        description="Posts not seen for so long are looked for again; less than a day, or a daily "
        "sweep would pass over what it saw the day before.",
    )
    confirmed_within_days: float = Field(
        30.0,
        gt=0,
        description="Posts that their host has not shown for so long are not learnt from.",
    )
    backbones: Names = Field(
        ("vit_base_patch16_224", "vgg16"), description="Encoders to compare: timm names, or tiny."
    )
    weights_dir: Path | None = Field(
        None, description="Directory of <timm name>.safetensors used instead of the hub."
    )
    inference: str = Field(
        "auto",
        description="Engine that runs the backbones; `auto` takes the fastest that agrees with "
        "PyTorch in float32 (`reds backbones --measure` lists them).",
    )
    svm_c: float | None = Field(
        None, gt=0, description="C of the linear SVM; chosen inside the training folds if empty."
    )
    answer_accuracy: float = Field(
        0.95,
        gt=0,
        lt=1,
        description="Share of given answers that shall be right; doubtful ones are withheld.",
    )
    min_pictures_per_tag: int = Field(
        20, ge=6, description="Pictures and half as many authors that a tag needs to be learnt."
    )
    tags_per_model: int = Field(
        50, ge=1, description="Tags that one multi-label model learns at most (R-IMP-1)."
    )
    tracking_uri: str = Field("", description="MLflow address; SQLite below home if empty.")
    mlflow_page: str = Field(
        "http://127.0.0.1:5000", description="Where people see the MLflow UI, for links to it."
    )
    ledger_url: str = Field("", description="SQLAlchemy address; SQLite below home if empty.")
    seed: int = Field(42, ge=0, description="Seed of splits and models.")
    keep_pictures: Literal["newest", "oldest"] = Field(
        "newest",
        description="Which pictures a class learns from when it has more than it may keep.",
    )
    class_patience: int = Field(
        3,
        ge=1,
        description="Refreshes in a row in which a class must have dried up before it leaves.",
    )
    retrain: Literal["every_refresh", "auto", "ask"] = Field(
        "every_refresh",
        description="When a refresh is followed by a training: always, when the study of drift "
        "says so, or when a person agrees with it (R-IMP-4, R-IMP-5).",
    )
    retrain_min_days: float = Field(
        3.0, ge=0, description="Days that must lie between two trainings unless a person asks."
    )
    retrain_max_days: float = Field(
        28.0, gt=0, description="Days after which a training is due whatever the study says."
    )
    promotion_margin: float = Field(
        0.01,
        ge=0,
        le=1,
        description="How much more accurate than the champion a challenger must be on the same "
        "test pictures.",
    )
    promotion_class_loss: float = Field(
        0.1, ge=0, le=1, description="Recall that a challenger may lose in any one class."
    )
    suggested_labels_limit: float = Field(
        0.3,
        ge=0,
        le=1,
        description="Share of labels suggested by a model above which none trained on them serves.",
    )
    keep_versions: int = Field(
        10, ge=2, description="Model versions that `reds prune` leaves; live and previous always."
    )
    page_hosts: Names = Field(
        (),
        description="Names under which people open the page from elsewhere, such as tags.example; "
        "this machine's own names always work.",
    )
    trusted_proxies: Names = Field(
        (),
        description="Addresses of reverse proxies whose X-Forwarded-For and -Proto are believed.",
    )
    operator_password_hash: SecretStr = Field(
        SecretStr(""),
        description="Argon2 hash of the password that opens the review gallery (`reds password`).",
    )
    operator_token: SecretStr = Field(
        SecretStr(""),
        description="Bearer token with which the operator's programs ask for metrics and reviews.",
    )
    photos_per_minute: int = Field(
        30, ge=1, description="Photos that one address may have tagged in a minute."
    )
    photos_at_once: int = Field(10, ge=1, description="Photos that one upload may hold.")
    photo_memory_mb: int = Field(
        768, ge=256, description="Memory that photos being read may take together, in MB."
    )
    model_check_seconds: float = Field(
        10.0, gt=0, description="How often the page looks whether another model serves."
    )
    contributions: Literal["off", "reviewed", "unreviewed"] = Field(
        "reviewed",
        description="Whether photos may be given for training on the page, and whether an "
        "operator must have kept them in the review first.",
    )
    contribution_days: float = Field(
        90.0,
        gt=0,
        description="Days after which a given photo that nothing was learnt from is erased.",
    )
    suggested_label_weight: float = Field(
        0.5,
        gt=0,
        le=1,
        description="How much a label counts in training that a model had suggested (R-IMP-6).",
    )
    feedback_share: float = Field(
        0.2,
        ge=0,
        lt=1,
        description="Largest share of a class's pictures that may come from the page (R-IMP-6).",
    )
    free_disk_gb: float = Field(
        5.0, ge=0, description="Free disk below which `reds doctor` complains, in GB."
    )
    disk_budget_gb: float = Field(
        0.0, ge=0, description="Disk that REDS_HOME may take, in GB, before REDS says so; 0: any."
    )
    keep_run_days: float = Field(
        90.0, gt=0, description="Days after which Dagster's finished runs and their logs go."
    )
    housekeeping: Literal["apply", "report", "off"] = Field(
        "apply",
        description="Whether the scheduled housekeeping removes what nobody needs any more, or "
        "only says what that is.",
    )
    housekeeping_cron: str = Field("0 5 * * 0", description="When housekeeping runs.")
    notify: SecretStr = Field(
        SecretStr(""),
        description="Where to tell of failures and of what needs a person: Apprise addresses such "
        "as json://host/path or mailto://..., separated by commas.",
    )
    refresh_cron: str = Field("0 3 * * 1", description="When weekly_refresh runs.")
    recheck_cron: str = Field("0 2 * * *", description="When recheck runs.")
    timezone: str = Field("UTC", description="Time zone of the three cron settings.")

    @field_validator("retrain_max_days")
    @classmethod
    def _is_after_the_least(cls, days: float, info: ValidationInfo) -> float:
        if days < info.data.get("retrain_min_days", 0.0):
            raise ValueError("it must not be smaller than retrain_min_days")
        return days

    @field_validator("backbones")
    @classmethod
    def _are_different(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if not names or len(set(names)) != len(names):
            raise ValueError("one or more different names are needed")
        return names

    @field_validator("quality_drops")
    @classmethod
    def _are_gates(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        known = [gate.name for gate in GATES]
        if unknown := [name for name in names if name not in known]:
            raise ValueError(f"{unknown[0]} is none of {', '.join(known)}")
        return names

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources; the file in the home comes before the one in this directory."""
        here = TomlConfigSettingsSource(settings_cls, Path(SETTINGS_FILE))
        home = init_settings().get("home") or env_settings().get("home") or here().get("home")
        at_home = TomlConfigSettingsSource(settings_cls, Path(home or ".reds") / SETTINGS_FILE)
        return init_settings, env_settings, at_home, here


def load_settings(**chosen: Any) -> Settings:
    """Return the settings, with ``chosen`` before all other sources.

    Args:
        **chosen: Settings by name; ``None`` means not chosen.

    Raises:
        RedsError: A value is not valid; the sentence names it.
    """
    try:
        return Settings(**{name: value for name, value in chosen.items() if value is not None})
    except ValidationError as error:
        problem = error.errors()[0]
        name = ".".join(str(part) for part in problem["loc"]) or "the settings"
        reason = problem["msg"].removeprefix("Value error, ")
        raise RedsError(
            f"The setting {name} is not valid: {reason}. Correct REDS_{name.upper()} in "
            f"the environment or {name} in {SETTINGS_FILE}."
        ) from error


def settings_table() -> str:
    """Return the settings as the Markdown table of ``docs/settings.md``."""
    lines = ["| environment | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        variable = field.validation_alias or f"REDS_{name.upper()}"
        default = _as_written(field.get_default())
        shown = f"`{default}`" if default else ""
        lines.append(f"| `{variable}` | {shown} | {field.description} |")
    return "\n".join(lines)


def _as_written(value: Any) -> str:
    """Return a setting as it is written in the environment."""
    if value is None or isinstance(value, SecretStr):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, tuple) else str(value)
