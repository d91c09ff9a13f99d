"""A fake AWS: real boto3 clients whose calls get prepared answers and open no socket.

botocore checks every request against the service's model, and this module checks every answer, so that a test
cannot use a parameter or field that does not exist. A call without an answer fails the test.
"""

import io
from typing import Any

import botocore.session
from botocore.response import StreamingBody
from botocore.validate import ParamValidator

from ops.session import Session, Target

LOADER = botocore.session.get_session().get_component("data_loader")
"""The loader of the services' models, shared by all tests."""
OK = {"ResponseMetadata": {"HTTPStatusCode": 200}}


class Status:
    """The part of an HTTP response that botocore reads."""

    def __init__(self, code: int) -> None:
        self.status_code = code


def stream(content: bytes) -> StreamingBody:
    """Return a response body as of S3 and Lambda."""
    return StreamingBody(io.BytesIO(content), len(content))


def error(code: str, message: str = "") -> dict[str, Any]:
    """Return an answer that boto3 raises as ClientError."""
    return {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}}


class FakeAws(Session):
    """A session; `answers` maps `service.Operation` to a document or to a function of the request."""

    def __init__(self, answers: dict[str, Any], target: Target | None = None) -> None:
        super().__init__(target or Target("dev"))
        self.__dict__["_local"] = {
            "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "eu-west-1",
        }
        self.answers = answers
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._boto._session.register_component("data_loader", LOADER)
        self._boto.events.register("provide-client-params.*.*", self._record, unique_id="record")
        self._boto.events.register("before-call.*.*", self._answer, unique_id="answer")

    def requests(self, call: str) -> list[dict[str, Any]]:
        """Return the requests of a call."""
        return [request for name, request in self.calls if name == call]

    def _record(self, params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        context["request"] = params
        self.calls.append((f"{model.service_model.service_name}.{model.name}", params))

    def _answer(self, model: Any, context: dict[str, Any], **_: Any) -> tuple[Status, dict[str, Any]]:
        call = f"{model.service_model.service_name}.{model.name}"
        if call not in self.answers:
            raise AssertionError(f"the test has no answer to {call} {context['request']}")
        answer = self.answers[call]
        document = answer(context["request"]) if callable(answer) else answer
        if "Error" in document:
            return Status(400), document
        if model.output_shape is not None:
            known = {name: value for name, value in document.items() if not isinstance(value, StreamingBody)}
            report = ParamValidator().validate(known, _without_streams(model.output_shape, document))
            assert not report.has_errors(), f"{call}: {report.generate_report()}"
        return Status(200), {**OK, **document}


class _without_streams:  # noqa: N801 - a view of a shape
    """A shape whose streaming members need no value."""

    def __init__(self, shape: Any, document: dict[str, Any]) -> None:
        self._shape = shape
        self.required_members: list[str] = []
        streams = {name for name, value in document.items() if isinstance(value, StreamingBody)}
        self.members = {name: member for name, member in shape.members.items() if name not in streams}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._shape, name)
