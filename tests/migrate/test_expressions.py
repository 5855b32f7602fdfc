"""What another tool means and what the converted check says are the same, on every resource."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.migrate.drafts import Draft
from policyengine.migrate.expressions import AllOf, AnyOf, Each, Expression, Not, Test, holds
from tests.migrate.asked import verdict

TYPE = "AWS::EC2::Instance"
"""Its properties below have no default, so that nothing but what is written counts."""
TEXTS, NUMBERS = ("", "a", "ab", "b"), (1, 2, 3)

texts = st.sampled_from(TEXTS)
flags = st.booleans()


def leaf(path: tuple[str, ...], kind: str, values: Any) -> st.SearchStrategy[Expression]:
    ops = {
        "equals": values,
        "in": st.lists(values, min_size=1, max_size=2, unique=True).map(tuple),
        "present": st.none(),
    }
    if kind == "integer":
        ops |= {"at_least": values, "at_most": values}
    if kind == "string":
        ops |= {
            "filled": st.none(),
            "matches": st.sampled_from(["a.*", "(?:a|b)", ""]),
            "contains": st.just("a"),
        }
    return st.one_of(
        *(
            st.builds(Test, st.just(path), st.just(op), value, flags, st.none(), st.just(kind))
            for op, value in ops.items()
        )
    )


tag = st.builds(
    Test, st.just(()), st.sampled_from(["present", "filled", "equals"]), st.just("a"), st.just(False),
    st.sampled_from(["Owner", "cost:center"]), st.just("string"),
)  # fmt: skip
outer = st.one_of(
    leaf(("ImageId",), "string", texts),
    leaf(("HibernationOptions", "Configured"), "boolean", flags).filter(
        lambda test: not isinstance(test, Test) or test.op != "in"
    ),
    leaf(("CpuOptions", "CoreCount"), "integer", st.sampled_from(NUMBERS)),
    tag,
)
inner = st.one_of(
    leaf(("DeviceName",), "string", texts), leaf(("Ebs", "VolumeSize"), "integer", st.sampled_from(NUMBERS))
)


def joined(base: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    parts = st.lists(base, min_size=1, max_size=3).map(tuple)
    return st.one_of(base, st.builds(Not, base), st.builds(AllOf, parts), st.builds(AnyOf, parts))


elements = st.builds(Each, st.just(("BlockDeviceMappings",)), joined(inner), flags, flags)
expressions = joined(joined(st.one_of(outer, elements)))


def maybe(**values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=values)


properties = maybe(
    ImageId=texts,
    HibernationOptions=maybe(Configured=flags),
    CpuOptions=maybe(CoreCount=st.sampled_from(NUMBERS)),
    BlockDeviceMappings=st.lists(
        maybe(DeviceName=texts, Ebs=maybe(VolumeSize=st.sampled_from(NUMBERS))), max_size=2
    ),
)
tags = st.dictionaries(st.sampled_from(["Owner", "cost:center"]), texts, max_size=2)


@settings(max_examples=120, deadline=None)
@given(expressions, properties, tags)
def test_the_check_says_what_the_other_tool_means(
    expression: Expression, found: dict[str, Any], own: dict[str, str]
) -> None:
    draft = Draft("one", "one", "file", 1, "guard", TYPE, expression, reference="https://example.org/")
    assert verdict(draft, found, own) == ("PASS" if holds(expression, found, own) else "FAIL")
