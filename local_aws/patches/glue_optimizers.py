"""The table optimizer API.

MiniStack 1.5.33: Rejects CreateTableOptimizer, UpdateTableOptimizer, DeleteTableOptimizer and
GetTableOptimizer as unknown actions.
AWS: Keeps one optimizer for each table and type, which compacts, expires snapshots or deletes orphan files in
the background.
Source: AWS Glue web API reference, "Table optimizer API"; AWS Glue developer guide, "Optimizing Iceberg
tables".
Delete when: MiniStack implements these four calls.

Optimizers are stored here and never run: `taxi-etl maintain` does their work.
"""

import json
import time
from collections.abc import Callable
from typing import Any

from ministack.core.responses import (
    AccountRegionScopedDict,
    error_response_json,
    get_account_id,
    json_response,
)
from ministack.services import glue

from local_aws.patches import patching

_optimizers: Any = AccountRegionScopedDict()


def apply() -> None:
    """Handle the optimizer calls before the emulator's Glue."""
    handle = patching.replace(
        glue,
        "_handle_request_sync",
        "method path headers body query_params",
        lambda method, path, headers, body, query_params: _handle(
            handle, method, path, headers, body, query_params
        ),
    )
    reset = patching.replace(glue, "reset", "", lambda: _reset(reset))


def _handle(handle: Callable[..., Any], *request: Any) -> Any:
    _, _, headers, body, _ = request
    answer = _ACTIONS.get(headers.get("x-amz-target", "").rpartition(".")[2])
    return answer(json.loads(body)) if answer else handle(*request)


def _create(data: dict[str, Any]) -> Any:
    key = _key(data)
    if key.rpartition("/")[0] not in glue._tables:
        return error_response_json("EntityNotFoundException", f"Table {key} not found")
    if key in _optimizers:
        return error_response_json("AlreadyExistsException", f"Table optimizer {key} already exists")
    _optimizers[key] = {
        "type": data["Type"],
        "configuration": data["TableOptimizerConfiguration"],
        "configurationSource": "table",
        "since": time.time(),
    }
    return json_response({})


def _update(data: dict[str, Any]) -> Any:
    if _key(data) not in _optimizers:
        return _not_found(data)
    _optimizers[_key(data)]["configuration"] = data["TableOptimizerConfiguration"]
    return json_response({})


def _delete(data: dict[str, Any]) -> Any:
    return json_response({}) if _optimizers.pop(_key(data), None) else _not_found(data)


def _get(data: dict[str, Any]) -> Any:
    optimizer = _optimizers.get(_key(data))
    if optimizer is None:
        return _not_found(data)
    shown = {key: value for key, value in optimizer.items() if key != "since"}
    names = {
        "CatalogId": get_account_id(),
        "DatabaseName": data["DatabaseName"],
        "TableName": data["TableName"],
    }
    return json_response({**names, "TableOptimizer": shown})


def _not_found(data: dict[str, Any]) -> Any:
    return error_response_json("EntityNotFoundException", f"Table optimizer {_key(data)} not found")


def _key(data: dict[str, Any]) -> str:
    return f"{data['DatabaseName']}/{data['TableName']}/{data['Type']}"


def _reset(reset: Callable[[], None]) -> None:
    _optimizers.clear()
    reset()


_ACTIONS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "CreateTableOptimizer": _create,
    "UpdateTableOptimizer": _update,
    "DeleteTableOptimizer": _delete,
    "GetTableOptimizer": _get,
}
