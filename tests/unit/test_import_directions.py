"""Tests of which package imports which, by the imports in the sources."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FIRST_PARTY = {
    "taxi_etl",
    "stores",
    "lambdas",
    "loading",
    "glue_scripts",
    "duckdb_engine",
    "stacks",
    "local_aws",
    "ops",
    "sample_data",
    "benchmarks",
    "app",
    "tests",
}

MAY_IMPORT = {
    "taxi_etl": {"taxi_etl"},
    "stores": {"taxi_etl", "stores", "botocore"},
    "lambdas": {
        "taxi_etl",
        "stores",
        "lambdas",
        "loading",
        "duckdb_engine",
        "boto3",
        "botocore",
        "aws_lambda_powertools",
        "pyarrow",
    },
    "loading": {"taxi_etl", "loading", "boto3", "botocore"},
    "glue_scripts": {"taxi_etl", "loading", "glue_scripts", "pyspark", "py4j", "boto3", "botocore"},
    "duckdb_engine": {
        "taxi_etl",
        "loading",
        "duckdb_engine",
        "duckdb",
        "sqlglot",
        "pyiceberg",
        "boto3",
        "botocore",
    },
    "stacks": {"taxi_etl", "stacks", "aws_cdk", "constructs", "jsii"},
    "sample_data": {"sample_data", "duckdb", "pyarrow"},
}
"""What a package may import besides the standard library; packages that are not listed may import more."""

NOT_ELSEWHERE = {
    "pyspark": {"glue_scripts", "local_aws", "benchmarks", "tests"},
    "aws_cdk": {"app", "stacks", "tests"},
    "stacks": {"app", "stacks", "tests"},
    "stores": {"stores", "lambdas", "ops", "tests"},
    "glue_scripts": {"glue_scripts", "benchmarks", "tests"},
    "local_aws": {"local_aws", "ops", "benchmarks", "tests"},
    "ops": {"ops", "benchmarks", "tests"},
    "sample_data": {"sample_data", "ops", "benchmarks", "tests"},
    "benchmarks": {"benchmarks", "tests"},
}
"""The only packages that may import these."""


def sources() -> Iterator[tuple[str, Path]]:
    """Yield every source with its package."""
    yield "app", ROOT / "app.py"
    for package in sorted(FIRST_PARTY - {"app"}):
        for path in sorted((ROOT / package).rglob("*.py")):
            yield package, path


def imported(path: Path) -> set[str]:
    """Return the top-level packages that a source imports, including imports inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            found.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_a_package_imports_only_what_it_may(package: str) -> None:
    allowed = MAY_IMPORT[package] | set(sys.stdlib_module_names)
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for owner, path in sources()
        if owner == package
        for name in imported(path) - allowed
    }

    assert wrong == set()


@pytest.mark.parametrize("name", NOT_ELSEWHERE)
def test_a_restricted_package_is_imported_only_where_it_may(name: str) -> None:
    wrong = {
        str(path.relative_to(ROOT))
        for owner, path in sources()
        if owner not in NOT_ELSEWHERE[name] and name in imported(path)
    }

    assert wrong == set()


def test_the_check_sees_the_sources() -> None:
    seen = {owner for owner, _ in sources()}

    assert {"taxi_etl", "stores", "lambdas", "glue_scripts", "stacks", "app"} <= seen
    assert imported(ROOT / "app.py") >= {"aws_cdk", "stacks", "taxi_etl", "os", "sys"}


def test_the_import_diagram_matches_the_sources_and_has_no_cycle() -> None:
    imports: dict[str, set[str]] = {}
    for owner, path in sources():
        if owner not in ("tests", "benchmarks"):
            imports.setdefault(owner, set()).update(imported(path) & FIRST_PARTY - {owner})
    text = (ROOT / "docs" / "architecture.md").read_text().split("<!-- imports -->")[1].split("```")[1]
    drawn: dict[str, set[str]] = {owner: set() for owner in imports}
    for importers, name in re.findall(r"^    (.+) --> (\w+)$", text, re.MULTILINE):
        for importer in importers.split(" & "):
            drawn[importer].add(name)

    assert drawn == imports
    TopologicalSorter(imports).prepare()  # raises CycleError


def test_a_load_can_be_imported_without_any_engine() -> None:
    modules = [f"loading.{path.stem}" for path in sorted((ROOT / "loading").glob("*.py"))]
    engines = ["pyspark", "py4j", "pyiceberg", "pyarrow", "duckdb", "glue_scripts"]
    program = (
        f"import importlib, sys; [importlib.import_module(name) for name in {modules}]; "
        f"print([name for name in {engines} if name in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert "loading.loader" in modules
    assert done.stdout == "[]\n"
