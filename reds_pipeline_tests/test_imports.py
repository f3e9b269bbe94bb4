"""Who may import whom, and what a start may cost (design.md, section 1)."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import reds_pipeline

PACKAGE = Path(reds_pipeline.__file__).parent
DOMAIN = (
    *("fediverse", "lexicon", "imaging", "embedding", "modeling", "storage"),
    *("review", "dataset", "feedback", "retraining"),
)
NOT_FOR_THE_DOMAIN = {
    "dagster",
    "mlflow",
    "reds_pipeline.assets",
    "reds_pipeline.cli",
    "reds_pipeline.commands",
    "reds_pipeline.definitions",
    "reds_pipeline.demo",
    "reds_pipeline.resources",
    "reds_pipeline.settings",
    "reds_pipeline.tracking",
    "reds_pipeline.web",
}
HEAVY = ("torch", "timm", "mlflow", "dagster", "sklearn", "scipy", "matplotlib", "nltk", "pandas")


def imports_of(path: Path) -> Iterator[str]:
    """Yield every module a file imports, also inside functions and for type checking only."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def matches(module: str, forbidden: str) -> bool:
    return module == forbidden or module.startswith(f"{forbidden}.")


def files_of(package: str) -> list[Path]:
    return sorted((PACKAGE / package).rglob("*.py"))


def loaded_after(statement: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter holds after ``statement``."""
    program = (
        f"import sys\n{statement}\nprint(' '.join({{name.split('.')[0] for name in sys.modules}}))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(result.stdout.split())


@pytest.mark.parametrize("package", DOMAIN)
def test_the_domain_knows_nothing_of_orchestration_pages_or_commands(package: str) -> None:
    files = files_of(package)
    assert files, f"{package} is gone"
    offences = [
        f"{path.relative_to(PACKAGE)} imports {module}"
        for path in files
        for module in imports_of(path)
        for forbidden in NOT_FOR_THE_DOMAIN
        if matches(module, forbidden)
    ]
    assert offences == []


def test_only_settings_read_the_environment() -> None:
    offences = []
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            reads = isinstance(node, ast.Call) and ast.unparse(node.func) in {
                "os.getenv",
                "os.environ.get",
            }
            subscripts = (
                isinstance(node, ast.Subscript)
                and isinstance(node.ctx, ast.Load)
                and ast.unparse(node.value) == "os.environ"
            )
            if reads or subscripts:
                offences.append(str(path.relative_to(PACKAGE)))
    assert offences == []


@pytest.mark.parametrize("package", [*DOMAIN, "demo"], ids=lambda name: f"reds_pipeline.{name}")
def test_importing_a_module_of_the_domain_loads_no_heavy_library(package: str) -> None:
    names = [
        ".".join(("reds_pipeline", *path.relative_to(PACKAGE).with_suffix("").parts))
        for path in files_of(package)
        if path.name != "__init__.py"
    ]
    loaded = loaded_after("".join(f"import {name}\n" for name in names))
    assert loaded.isdisjoint(HEAVY)


def test_help_and_usage_errors_load_no_heavy_library() -> None:
    program = (
        "sys.argv = ['reds', '--help']\n"
        "from reds_pipeline.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
    )
    loaded = loaded_after(program)
    assert loaded.isdisjoint({*HEAVY, "numpy", "pyarrow", "PIL", "requests", "pydantic"})


def test_loading_the_graph_loads_no_deep_learning() -> None:
    program = "from reds_pipeline.definitions import build_defs\nbuild_defs()"
    assert loaded_after(program).isdisjoint({"torch", "timm", "mlflow", "sklearn", "matplotlib"})


def test_tests_mirror_the_package() -> None:
    tests = Path(__file__).parent
    missing = [name for name in (*DOMAIN, "demo") if not list((tests / name).glob("test_*.py"))]
    assert missing == []


def test_programs_rarely_look_for_garbage_and_wait_without_spinning() -> None:
    """Both cost more processor time than the work: a quarter of imports, most of a network's."""
    program = (
        "import gc, os\n"
        "gc.disable()\n"
        "os.environ.pop('OMP_WAIT_POLICY', None)\n"
        "from reds_pipeline.garbage_collection import collect_garbage_less_often\n"
        "collect_garbage_less_often()\n"
        "assert not gc.isenabled(), 'it was switched off by somebody who knows why'\n"
        "gc.set_threshold(0)\n"
        "collect_garbage_less_often()\n"
        "assert gc.get_threshold()[0] == 0\n"
        "gc.set_threshold(700)\n"
        "from reds_pipeline.definitions import build_defs\n"
        "build_defs()\n"
        "assert gc.get_threshold()[0] == 50_000\n"
        "import reds_pipeline.embedding.timm_backbone\n"
        "assert os.environ['OMP_WAIT_POLICY'] == 'PASSIVE'\n"
        "os.environ['OMP_WAIT_POLICY'] = 'ACTIVE'\n"
        "import importlib, reds_pipeline.embedding\n"
        "importlib.reload(reds_pipeline.embedding)\n"
        "assert os.environ['OMP_WAIT_POLICY'] == 'ACTIVE', 'what the operator set stays'\n"
    )
    assert "torch" not in loaded_after(program)
