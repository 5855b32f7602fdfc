"""The kernel and the reader of events as a function has them."""

from __future__ import annotations

import uuid
from functools import lru_cache, partial

from policyengine.lambdas.runtime import Runtime
from policyengine.lambdas.triggers import Reading
from policyengine.remediate.accounts import Role
from policyengine.remediate.api import Refused
from policyengine.remediate.assemble import make_kernel as assemble
from policyengine.remediate.kernel import Kernel, Outcome
from policyengine.remediate.ports import Subject
from policyengine.remediate.registry import load_remediations


def make_kernel(runtime: Runtime) -> Kernel:
    """Return the kernel of a process; its leases carry a name that no other process has."""
    return assemble(
        doors=runtime.doors,
        pack=runtime.bundle.pack,
        settings=runtime.bundle.settings,
        remediations=load_remediations(),
        store=runtime.store,
        waiter=runtime.clock,
        owner=f"lambda-{uuid.uuid4().hex[:16]}",
    )


def repair(kernel: Kernel, subject: Subject, who: str, run: str, not_before: float = 0.0) -> Outcome:
    """Plan, and apply what may run without a person or was approved. Raises StoreError.

    Where the same was done a while ago, and it fails now, that is no repair: what was just read may be old, or somebody put
    it back.
    """
    outcome = kernel.plan(subject, requested_by=who, run=run, not_before=not_before)
    action = outcome.action
    if action is None or outcome.refusal is not None:
        return outcome
    if action.ended:
        text = f"{action.id} ended {action.state} a while ago, and it fails again or still; later it is looked at anew"
        return Outcome(action, Refused("busy", text))
    return kernel.apply([action.id])[0] if action.state == "approved" else outcome


def role_for(runtime: Runtime, handler: str, account: str) -> Role | None:
    """Return the role of a remediation in an account, or of the scanner; None for the function's own credentials."""
    prefix = runtime.setting("ROLE_PREFIX")
    if not prefix:
        return None
    if not handler and account == runtime.own.id:
        return None
    name = f"{prefix}{handler.replace('_', '-')}" if handler else runtime.setting("SCANNER_ROLE")
    if not name:
        return None
    arn = f"arn:{runtime.own.partition}:iam::{account}:role/{name}"
    return Role(arn, runtime.setting("EXTERNAL_ID") or None)


@lru_cache(maxsize=4)
def reading(runtime: Runtime) -> Reading:
    """Return the reader of events for the rules that were deployed with a remediation."""
    declared = load_remediations().declarations
    remediated = {
        form["id"]: declared[form["remediation"]].types
        for form in runtime.bundle.pack.rules
        if form["remediation"] in declared
    }
    settling = runtime.bundle.settings.remediation.settling
    ours = partial(is_ours, runtime.setting("ROLE_PREFIX"), frozenset(declared), runtime.accounts)
    return Reading(runtime.bundle, remediated, runtime.accounts, settling, ours, runtime.acts_on)


def is_ours(prefix: str, remediations: frozenset[str], accounts: frozenset[str], arn: str) -> bool:
    """Whether the role behind a session's ARN is exactly that of one of the remediations, in an account of ours: a role of
    another whose name begins alike must not keep its calls from being looked at."""
    parts = arn.split(":")
    if not prefix or len(parts) != 6 or parts[2] != "sts" or parts[4] not in accounts:
        return False
    kind, _, rest = parts[5].partition("/")
    names = {f"{prefix}{each.replace('_', '-')}" for each in remediations}
    return kind == "assumed-role" and rest.partition("/")[0] in names
