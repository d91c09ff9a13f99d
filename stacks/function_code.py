"""The code and layers that the Lambda functions share."""

from aws_cdk import AssetHashType
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks import build
from stacks.settings import Settings
from taxi_etl.engines import EngineChoice


class FunctionCode(Construct):
    """One asset with all functions' code, one layer of libraries, one with pyarrow, and one with DuckDB.

    Apps that load all batches with the Glue job have no layer with DuckDB.
    """

    settings: Settings
    runtime: lambda_.Runtime
    architecture: lambda_.Architecture
    code: lambda_.Code
    libraries: lambda_.LayerVersion
    parquet: lambda_.LayerVersion
    engine: lambda_.LayerVersion | None

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        super().__init__(scope, construct_id)
        self.settings = settings
        self.runtime = lambda_.Runtime(f"python{settings.lambda_python}", lambda_.RuntimeFamily.PYTHON)
        self.architecture = lambda_.Architecture.custom(settings.lambda_architecture)
        self.code = lambda_.Code.from_asset(build.function_code())
        self.libraries = self._layer("Runtime", "runtime", "Powertools")
        self.parquet = self._layer("Parquet", "parquet", "pyarrow, to read Parquet footers")
        self.engine = (
            self._layer("Engine", "engine", "DuckDB and pyiceberg, to load small batches")
            if settings.engine is EngineChoice.AUTO
            else None
        )

    def _layer(self, construct_id: str, name: str, description: str) -> lambda_.LayerVersion:
        directory, asset_hash = build.layer(name, self.settings.layer_target)
        return lambda_.LayerVersion(
            self,
            construct_id,
            code=lambda_.Code.from_asset(
                directory, asset_hash=asset_hash, asset_hash_type=AssetHashType.CUSTOM
            ),
            compatible_runtimes=[self.runtime],
            compatible_architectures=[self.architecture],
            description=description,
        )
