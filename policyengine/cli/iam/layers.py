"""One request through every layer of a target, statement by statement, in the words of a reader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from policyengine.cli.iam.world import ResourcePolicies, World
from policyengine.iam.authorize import Decision, Policies, authorize
from policyengine.iam.documents import Policy, Statement
from policyengine.iam.opaque import Opaque
from policyengine.iam.organization import Chain
from policyengine.iam.organization_records import ChainKind
from policyengine.iam.reason import EVERYTHING
from policyengine.iam.reasons import BLOCKS
from policyengine.iam.search import Witness
from policyengine.iam.sentences import why_passed
from policyengine.iam.statements import compiled
from policyengine.rules.iam.principals import PrincipalRecord, caller_arn
from policyengine.rules.iam.reader import Document

_ABOUT_OTHERS: Final = ("action_not_named", "action_excluded")
_SIDES: Final[dict[ChainKind, str]] = {"scp": "SCPs", "rcp": "RCPs"}


def walk(request: Witness, world: World) -> list[str]:
    """Return lines, those about what a layer holds indented by two: each layer, and what decides.

    A principal that the target does not show stands for any of its account: SCPs are walked through, and
    its own policies are taken to allow everything.
    """
    record = next((r for r in world.principals if caller_arn(r)[0] == request.principal), None)
    owner = request.request().caller.account
    resource = next((r for r in world.resources if _is_about(r, request.resource)), None)
    role = next((r for r in world.principals if caller_arn(r)[0] == request.resource), None)
    trust = None if role is None else role.trust
    lines = list(_organization(request, world, owner, "scp"))
    lines += _own(request, record)
    lines += _of_resource(request, resource, trust)
    their = (resource.account if resource else role.account if role else None) or owner
    lines += _organization(request, world, their, "rcp")
    opened = trust.policy if trust else resource.policy if resource else None
    decision = authorize(request.request(their), _policies(record, opened, world, owner, their))
    return [*lines, *_decided(decision, record is not None)]


def _is_about(resource: ResourcePolicies, arn: str) -> bool:
    own = resource.arn
    return isinstance(own, str) and (arn == own or arn.startswith((f"{own}/", f"{own}:")))


def _policies(
    record: PrincipalRecord | None,
    opened: Policy | None,
    world: World,
    account: str | None,
    owner: str | None,
) -> Policies:
    organization = world.organization
    return Policies(
        identity=[EVERYTHING] if record is None else record.policies,
        boundary=None if record is None or record.boundary is None else record.boundary.policy,
        resource=opened,
        scps=_levels(world, account, "scp"),
        rcps=_levels(world, owner, "rcp"),
        management_account=None if organization is None else organization.management_account,
    )


def _levels(world: World, account: str | None, kind: ChainKind) -> list[list[Policy]]:
    chain = _chain(world, account, kind)
    return chain.policies() if isinstance(chain, Chain) else []


def _chain(world: World, account: str | None, kind: ChainKind) -> Chain | Opaque | None:
    if world.organization is None or account is None:
        return None
    return world.organization.chain(account, kind)


# -- organisations ----------------------------------------------------------------------------------------


def _organization(request: Witness, world: World, account: str | None, kind: ChainKind) -> Iterator[str]:
    name, chain = _SIDES[kind], _chain(world, account, kind)
    if isinstance(chain, Opaque):
        yield f"{name}: not known ({chain.reason})"
    elif chain is not None:
        for level in chain.levels:
            found = [f"{attached.name}: {text}" for attached in level.policies
                     for text in _said(attached.policy, request)]  # fmt: skip
            yield f"{name} at {level.node}" + ("" if found else ": none that says anything about it")
            yield from (f"  {text}" for text in found)
    elif kind == "scp":
        yield f"SCPs: {_why_none(world, account)}"


def _why_none(world: World, account: str | None) -> str:
    organization = world.organization
    if organization is None:
        return "the target shows no organisation"
    if account == organization.management_account:
        return "they do not restrict the management account"
    return "not enabled, or the account is in no organisation"


# -- the principal and the resource ------------------------------------------------------------------------


def _own(request: Witness, record: PrincipalRecord | None) -> Iterator[str]:
    if record is None:
        yield "identity policies: any principal is meant, whatever its own policies allow"
        return
    yield from _documents("identity policies", record.identity, request)
    if record.boundary is None:
        yield "permissions boundary: none"
    else:
        yield from _documents("permissions boundary", (record.boundary,), request)


def _of_resource(
    request: Witness, resource: ResourcePolicies | None, trust: Document | None
) -> Iterator[str]:
    if trust is not None:
        yield from _documents("trust policy", (trust,), request)
    elif resource is None:
        yield "resource policy: the target shows none"
    else:
        yield from _documents(f"policy of {resource.type} {resource.id}", resource.documents, request)


def _documents(name: str, documents: Sequence[Document], request: Witness) -> Iterator[str]:
    found = [f"{d.name}: {text}" for d in documents for text in _said(d.policy, request)]
    yield name + ("" if found else ": nothing in them is about this request")
    yield from (f"  {text}" for text in found)


def _said(policy: Policy, request: Witness) -> Iterator[str]:
    """Yield what the statements say that allow or deny the request, or that come close."""
    given = request.request()
    for statement in policy.statements:
        verdict = compiled(statement).verdict(given, False)
        if verdict is None:
            yield f"{_name(statement)} {'allows' if statement.allow else 'DENIES'} it"
        elif isinstance(verdict, Opaque):
            yield f"{_name(statement)} may {'allow' if statement.allow else 'deny'} it: {verdict.reason}"
        elif verdict not in _ABOUT_OTHERS or not statement.allow:
            effect = "does not allow" if statement.allow else "does not deny"
            yield f"{_name(statement)} {effect} it: it {why_passed(statement, request)}"


def _name(statement: Statement) -> str:
    number = f"statement {statement.index + 1}"
    return f"{number} `{statement.sid}`" if statement.sid else number


def _decided(decision: Decision, known: bool) -> Iterator[str]:
    if decision.unknown:
        yield f"together: not decided ({'; '.join(dict.fromkeys(o.reason for o in decision.unknown))})"
    elif decision.outcome == "Allowed":
        yield "together: allowed" + ("" if known else ", if the principal's own policies allow it")
    else:
        layers = "; ".join(f"{b.layer}: {BLOCKS.get(b.code, b.code)}" for b in decision.blocked)
        yield f"together: denied ({layers or 'nothing allows it'})"
