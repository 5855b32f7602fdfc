"""What tests of remediation under attack share: changes whose process ended, and somebody who goes on with them."""

from __future__ import annotations

import contextlib
from typing import Any

from policyengine.config.remediation import Remediating
from policyengine.remediate.api import Call
from policyengine.store.actions import Action
from tests.remediate.fake_world import Killed, World
from tests.remediate.test_kernel import AUTO, kernel, planned

NOW = World().time


def killed_in_call(
    store: Any, world: World, *, effective: bool, handler: Any = None, operation: str = "SetOn"
) -> Action:
    """A change whose process ends in a call, with or without its effect; its lease has run out since."""

    def end(call: Call) -> None:
        if call.operation == operation:
            if effective:
                world.effect(call)
            raise Killed

    action = planned(kernel(store, world, handler=handler))
    world.on_call = end
    with contextlib.suppress(Killed):
        kernel(store, world, handler=handler).apply([action.id])
    store.lease(action.resource, "test", seconds=180, now=world.time)  # the dead give nothing back
    world.on_call = None
    world.time += 400
    found: Action = store.get(action.id)
    assert found.state == "pre_image_saved"
    return found


def recovered(store: Any, world: World, settings: Remediating = AUTO, handler: Any = None) -> Action:
    k = kernel(store, world, settings, handler)
    k.owner = "another"
    return next(o.action for o in k.recover() if o.action is not None)
