"""The function behind a CloudFormation Hook: what is about to be deployed is judged before it is.

Resource operations hold one resource: what stands beside it (a bucket's policy, other resources, tags of the stack) is not
collected, and what a rule needs of that is UNKNOWN. Stack and change set operations hold the whole template.

Environment: ``POLICYENGINE_FAIL_ON`` (severity from which a FAIL fails the Hook; ``never`` for none; default low),
``POLICYENGINE_UNKNOWN`` (``fail``: UNKNOWN fails it, too; default: it is told, as what it is).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from policyengine.lambdas.hook_answer import Policy, answer, failed
from policyengine.lambdas.hook_request import DELETE, RESOURCE, HookError, HookRequest, read_request, token_of
from policyengine.lambdas.log import Log
from policyengine.lambdas.runtime import Runtime
from policyengine.model.reasons import FAIL, NOT_APPLICABLE, SEVERITIES, UNKNOWN

if TYPE_CHECKING:
    from policyengine.model.finding import Finding
    from policyengine.model.resource import Resource
    from policyengine.sources.cloudformation.source import TemplateSource

Json = dict[str, Any]
MOST_YAML: Final = 512 * 1024
"""Bytes of a template in YAML: without libyaml, which Lambda lacks, a larger one is not read within the 30 seconds that
CloudFormation waits. JSON may be as large as CloudFormation takes it."""
_RUNTIME: Final = Runtime()
_BESIDE: Final = "a Hook on resources is given one resource; what stands beside it is not"


def handler(event: Any, context: Any = None) -> Json:
    """Answer CloudFormation; never raises: what could not be judged is an InternalFailure."""
    return Answering(_RUNTIME, context).answer(event)


class Answering:
    """One invocation. ``fetch`` reads a payload; given by tests only."""

    def __init__(
        self, runtime: Runtime, context: Any = None, fetch: Callable[[str], bytes] | None = None
    ) -> None:
        self.runtime = runtime
        self.log = Log("hook", str(getattr(context, "aws_request_id", "")))
        self._fetch = fetch
        self._asked = 0
        runtime.begin(context)

    def answer(self, event: Any) -> Json:
        """Judge, and answer with what was found."""
        began = time.perf_counter()
        token = token_of(event)
        try:
            request = read_request(event, self.runtime.region)
            self.log.correlation = f"{request.kind}/{request.name}"
            found = self._judge(request)
            rules = {form["id"]: form for form in self.runtime.bundle.pack.rules}
            form = answer(request, found, self._policy(), rules, asked=self._asked)
        except HookError as problem:
            self.log.error("could not be judged", why=str(problem))
            return failed(token, str(problem))
        except Exception as problem:  # noqa: BLE001 - an answer that says so is better than none
            self.log.error("internal error", kind=type(problem).__name__)
            return failed(token, f"internal error ({type(problem).__name__}); the function's log says more")
        spent = (time.perf_counter() - began) * 1000
        self.log.info("answered", status=form["hookStatus"], target=request.kind, findings=len(found))
        self.log.metrics({"HookMilliseconds": spent, "HookFindings": len(found)})
        return form

    def _policy(self) -> Policy:
        fail_on = self.runtime.setting("FAIL_ON") or "low"
        if fail_on not in (*SEVERITIES, "never"):
            raise HookError(
                f"POLICYENGINE_FAIL_ON is `{fail_on}`; expected one of {', '.join(SEVERITIES)}, never"
            )
        return Policy(fail_on, self.runtime.setting("UNKNOWN") == "fail")

    def _judge(self, request: HookRequest) -> list[Finding]:
        """Return the FAILs and UNKNOWNs. A deletion breaks no rule. Raises HookError."""
        if request.action == DELETE:
            return []
        found = self._of_resource(request) if request.kind == RESOURCE else self._of_template(request)
        return [each for each in found if each.verdict in (FAIL, UNKNOWN)]

    def _of_resource(self, request: HookRequest) -> Iterator[Finding]:
        template = {"Resources": {request.name: {"Type": request.type, "Properties": request.properties}}}
        data = json.dumps(template).encode()
        source = self._source(data, "the request", request, lambda template: {})
        rules = [form["id"] for form in self.runtime.bundle.pack.rules]
        for resource in self._read(source):
            for finding in self.runtime.judge.findings(_alone(resource, in_stack=request.stack), rules):
                self._asked += finding.verdict != NOT_APPLICABLE
                yield finding

    def _of_template(self, request: HookRequest) -> Iterator[Finding]:
        from policyengine.engine.piece import Wanted
        from policyengine.engine.scan import Scan
        from policyengine.lambdas.hook_payload import fetch, parameters_of, read_payload

        text, changed = read_payload((self._fetch or fetch)(request.payload))
        data = text.encode()
        if not text.lstrip().startswith("{") and len(data) > MOST_YAML:
            raise HookError(
                f"the template has {len(data):,} bytes of YAML, more than can be read in time ({MOST_YAML:,}); deploy it as JSON"
            )
        source = self._source(data, "the template", request, lambda value: parameters_of(value, changed))
        list(self._read(source))
        evaluator = self.runtime.judge.evaluator([form["id"] for form in self.runtime.bundle.pack.rules])
        scan = Scan(evaluator, [source], Wanted(frozenset((FAIL, UNKNOWN))))
        yield from scan.findings()
        verdicts = scan.counts.verdicts.items()
        self._asked = sum(number for (_, verdict), number in verdicts if verdict != NOT_APPLICABLE)
        if scan.counts.crashes:
            raise HookError("a rule could not be evaluated; the function's log says more")

    def _source(
        self, data: bytes, name: str, request: HookRequest, parameters: Callable[[Any], Json]
    ) -> TemplateSource:
        from policyengine.documents import DocumentError, load
        from policyengine.model.errors import InputError
        from policyengine.sources.base import SourceOptions
        from policyengine.sources.cloudformation.source import TemplateSource

        try:
            document = load(data, name=name, style="cloudformation")
            options = SourceOptions(
                parameters=parameters(document.value), account=request.account, region=request.region
            )
            return TemplateSource(name, options, document, file=name)
        except (DocumentError, InputError) as problem:
            raise HookError(f"{name} cannot be read: {problem}") from None

    def _read(self, source: TemplateSource) -> Iterator[Resource]:
        """Yield the resources. Raises HookError: what could not be read is not judged, and so not passed."""
        yield from source.resources()
        if source.errors:
            raise HookError(str(source.errors[0]))


def _alone(resource: Resource, *, in_stack: bool) -> Resource:
    """Say of a resource that came alone that nothing is known of what stands beside it."""
    from policyengine.catalog import registry
    from policyengine.model.values import OpenDict, Unresolved

    beside = Unresolved("not_collected", _BESIDE)
    schema = registry.schema(resource.type)
    for name in schema.children(("related",)) if schema is not None else ():
        resource.related.setdefault(name, beside)
    if in_stack and isinstance(resource.tags, dict):
        # CloudFormation gives the stack's tags to its resources, and they are not in the request
        resource.tags = OpenDict(resource.tags, Unresolved("not_collected", "tags of the stack"))
    return resource
