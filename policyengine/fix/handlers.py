"""Requirements that no property says but a fix can meet: tags, a policy that refuses plain HTTP, narrower rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from policyengine.catalog import registry
from policyengine.engine.predicate_node import PredicateNode
from policyengine.fix.changes import APPEND, AddResource, Change, Put, Raw, refuse_computed
from policyengine.fix.derive import Handler, NotMechanicalError
from policyengine.fix.knowledge import Effect, known
from policyengine.fix.rewrite import CannotEditError
from policyengine.fix.style import Noted
from policyengine.model.resource import Path, Resource
from policyengine.rules.predicates.api import Subject

PLACEHOLDER: Final = "CHANGE-ME"
"""What is written where only a person knows the value; ``tags-no-placeholders`` fails until it is replaced."""

PRIVATE: Final = {"CidrIp": "10.0.0.0/8", "CidrIpv6": "fc00::/7"}
"""Addresses that nobody on the internet has (RFC 1918, RFC 4193), where the network's own block is not written."""

_PUT_IN: Final = Effect("placeholder", "somebody has to replace the value")
_RENAMED: Final = Effect("access", "policies and reports that ask for the old key no longer find it")
_NARROWED: Final = Effect("access", "whoever comes from outside the private addresses is shut out")
_NO_HTTP: Final = Effect("access", "a website endpoint speaks plain HTTP only, and its visitors are refused")
_TAKES_PLACE: Final = Effect(
    "access", "it takes the place of a policy that the queue got outside this template"
)
_TRANSPORT: Final = "aws:SecureTransport"

_ENTRY: Final = ("IpProtocol", "FromPort", "ToPort")

_POLICIES: Final = {
    "AWS::S3::Bucket": ("AWS::S3::BucketPolicy", "Bucket", "s3:*"),
    "AWS::SQS::Queue": ("AWS::SQS::QueuePolicy", "Queues", "sqs:*"),
    "AWS::SNS::Topic": ("AWS::SNS::TopicPolicy", "Topics", "sns:Publish"),
}
"""Type -> the type of its policy, the property that names it, and the action to be refused."""

_DEFAULT_LOST: Final = frozenset({"AWS::SNS::Topic"})
"""Types whose policy takes the place of a default one that services of AWS need: a topic's lets the account's alarms
publish (https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html)."""


class Handlers:
    """Answers for one template; ``tags`` are values that the user gave for tags."""

    def __init__(self, root: Raw, tags: Mapping[str, str]) -> None:
        self._root = root
        self._tags = tags

    def table(self) -> Mapping[str, Handler]:
        """Return predicate -> handler; ``not NAME`` where it is to become false."""
        return {
            "tags.required": self._required_tags,
            "iam.denies": self._tls_only,
            "not net.open_to_internet": self._narrow,
            "kms.names_key": self._some_key,
        }

    # -- tags ---------------------------------------------------------------------------------------

    def _required_tags(self, node: PredicateNode, subject: Subject) -> list[Change]:
        found: list[Change] = []
        for item in node.check(subject, **node.arguments).evidence:
            if item.reason == "tag_missing":
                found += self.tag(subject.resource, str(item.path[-1]))
            elif item.reason == "tag_misspelt":
                found += self._renamed(subject.resource, str(item.path[-1]), item.expected.split("`")[1])
        return found

    def tag(self, resource: Resource, key: str) -> list[Change]:
        """Return what adds one tag."""
        place = registry.tag_property(resource.type)
        if place is None or "*" in place.name:
            raise NotMechanicalError("its tags stand in several places")
        value: Any = self._tags.get(key)
        effects: tuple[Effect, ...] = ()
        if value is None:
            value, effects = Noted.of(PLACEHOLDER, f"put in the value of `{key}`"), (_PUT_IN,)
        steps: Path = tuple(place.name.split("."))
        if place.shape == "map":
            return [Put(resource.id, (*steps, key), value, effects)]
        tag: dict[str, Any] = {"Key": key, "Value": value}
        if resource.type == "AWS::AutoScaling::AutoScalingGroup":
            tag["PropagateAtLaunch"] = True  # required; the instances need the tag as much as the group
        return [Put(resource.id, (*steps, APPEND), tag, effects)]

    def _renamed(self, resource: Resource, old: str, new: str) -> list[Change]:
        place = registry.tag_property(resource.type)
        if place is None or place.shape != "list" or "*" in place.name:
            raise NotMechanicalError(f"the tag `{old}` would have to be renamed")
        steps: Path = tuple(place.name.split("."))
        written: Any = _properties(self._body(resource))
        for step in steps:
            written = written.get(step) if isinstance(written, dict) else None
        for index, tag in enumerate(written if isinstance(written, list) else ()):
            if isinstance(tag, dict) and tag.get("Key") == old:
                return [Put(resource.id, (*steps, index, "Key"), new, (_RENAMED,))]
        raise NotMechanicalError(f"the tag `{old}` is not written in the resource")

    # -- policies -----------------------------------------------------------------------------------

    def _tls_only(self, node: PredicateNode, subject: Subject) -> list[Change]:
        """A statement that refuses plain HTTP, at the end of the policy there is, or in a policy of its own."""
        resource = subject.resource
        requests = node.arguments.get("requests")
        about = _POLICIES.get(resource.type)
        if (
            not isinstance(requests, dict)
            or requests.get("context") != {_TRANSPORT: ["false"]}
            or about is None
        ):
            raise NotMechanicalError("what a policy shall deny is for you to say")
        kind, target, action = about
        effects = (_NO_HTTP,) if "WebsiteConfiguration" in resource.properties else ()
        arn: dict[str, Any] = (
            {"Ref": resource.id} if target == "Topics" else {"Fn::GetAtt": [resource.id, "Arn"]}
        )
        objects = [{"Fn::Sub": f"${{{resource.id}.Arn}}/*"}] if target == "Bucket" else []
        statement: dict[str, Any] = {
            "Sid": "DenyRequestsWithoutTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": action,
            "Resource": [arn, *objects] if objects else arn,
            "Condition": {"Bool": {_TRANSPORT: "false"}},
        }
        for name, body in self._root["Resources"].items():
            if isinstance(body, dict) and body.get("Type") == kind and self._is_about(body, target, resource):
                return self._appended(name, body, statement, effects)
        if resource.related.get("policies"):
            raise NotMechanicalError("it has a policy that is written in another way")
        if resource.type in _DEFAULT_LOST:
            raise NotMechanicalError(
                "a policy would take the place of AWS's own, which lets services publish"
            )
        if resource.type == "AWS::SQS::Queue":  # S3 refuses a second policy, SQS takes it
            effects = (*effects, _TAKES_PLACE)
        return [AddResource(self._free_name(resource.id), self._policy(about, resource, statement), effects)]

    def _policy(self, about: tuple[str, str, str], resource: Resource, statement: Mapping[str, Any]) -> Raw:
        kind, target, _ = about
        named: Any = {"Ref": resource.id}
        body: Raw = {"Type": kind}
        condition = self._body(resource).get("Condition")
        if condition is not None:
            body["Condition"] = condition
        body["Properties"] = {
            target: named if target == "Bucket" else [named],
            "PolicyDocument": {"Version": "2012-10-17", "Statement": [dict(statement)]},
        }
        return body

    def _is_about(self, body: Raw, target: str, resource: Resource) -> bool:
        named = _properties(body).get(target)
        own = _properties(self._body(resource)).get("BucketName")
        listed = named if isinstance(named, list) else [named]
        return {"Ref": resource.id} in listed or (own is not None and own in listed)

    def _appended(
        self, name: str, body: Raw, statement: dict[str, Any], effects: tuple[Effect, ...]
    ) -> list[Change]:
        document = _properties(body).get("PolicyDocument")
        try:
            refuse_computed(self._root, document, f"the policy of `{name}`")
        except CannotEditError as error:
            raise NotMechanicalError(str(error)) from None
        statements = document.get("Statement") if isinstance(document, dict) else None
        if not isinstance(statements, list):
            raise NotMechanicalError(f"the policy of `{name}` has no list of statements")
        taken = [s.get("Sid") for s in statements if isinstance(s, dict)]
        number = 1
        while statement["Sid"] in taken:
            number += 1
            statement["Sid"] = f"DenyRequestsWithoutTls{number}"
        return [Put(name, ("PolicyDocument", "Statement", APPEND), statement, effects)]

    def _free_name(self, id_: str) -> str:
        """Logical ids are letters and digits, and unique in the template."""
        name, number = f"{id_}TlsOnlyPolicy", 1
        while name in self._root["Resources"]:
            number += 1
            name = f"{id_}TlsOnlyPolicy{number}"
        return name

    @staticmethod
    def _some_key(_node: PredicateNode, subject: Subject) -> list[Change]:
        """AWS's own key of the service, where any key will do."""
        resource = subject.resource
        steps: Path = ("KmsMasterKeyId",)
        about = known(resource.type, steps)
        if about is None or about.choose is None:
            raise NotMechanicalError("which key it shall be is for you to say")
        return [Put(resource.id, steps, about.choose, about.effects)]

    # -- networks -----------------------------------------------------------------------------------

    def _narrow(self, node: PredicateNode, subject: Subject) -> list[Change]:
        """The sources that let the internet in become the network's own block, or private addresses."""
        resource = subject.resource
        found: list[Change] = []
        for item in node.check(subject, **node.arguments).evidence:
            key = str(item.path[-1]) if item.path else ""
            if key not in PRIVATE:
                raise NotMechanicalError("what the internet reaches is not one source that could be narrowed")
            owner, steps = self._written(resource, item.path)
            found.append(Put(owner, steps, self._block(resource, key), (_NARROWED,)))
        if not found:
            raise NotMechanicalError("which rule lets the internet in is not known")
        return found

    def _written(self, resource: Resource, path: Path) -> tuple[str, Path]:
        """Return where an entry of a group is written: in the group, or in a resource of its own."""
        name, index = str(path[0]), path[1] if len(path) > 2 else 0
        own = _properties(self._body(resource)).get(name)
        if len(path) == 1 or not isinstance(index, int) or (isinstance(own, list) and index < len(own)):
            return resource.id, path
        entry = resource.properties[name][index]
        keys = (*_ENTRY, str(path[-1]))
        wanted = [entry.get(key) for key in keys]
        for other, body in self._root["Resources"].items():
            if isinstance(body, dict) and body.get("Type") == "AWS::EC2::SecurityGroupIngress":
                said = _properties(body)
                about = said.get("GroupId", said.get("GroupName"))
                if self._refers(about, resource.id) and [said.get(key) for key in keys] == wanted:
                    return other, path[-1:]
        raise NotMechanicalError("the entry stands in a resource of its own, not written literally")

    @staticmethod
    def _refers(value: Any, name: str) -> bool:
        got = value.get("Fn::GetAtt") if isinstance(value, dict) else None
        head = got[0] if isinstance(got, list) and got else str(got).split(".", 1)[0]
        return value == {"Ref": name} or (got is not None and head == name)

    def _block(self, resource: Resource, key: str) -> str:
        vpc = _properties(self._body(resource)).get("VpcId")
        name = vpc.get("Ref") if isinstance(vpc, dict) else None
        body = self._root["Resources"].get(name) if isinstance(name, str) else None
        if key == "CidrIp" and isinstance(body, dict) and body.get("Type") == "AWS::EC2::VPC":
            block = _properties(body).get("CidrBlock")
            if isinstance(block, str) and "/" in block:
                return block
        return PRIVATE[key]

    def _body(self, resource: Resource) -> Raw:
        body = self._root["Resources"].get(resource.id)
        return body if isinstance(body, dict) else {}


def _properties(body: Raw) -> Raw:
    """Return the properties of a resource as written; empty where they are no mapping, which others report."""
    found = body.get("Properties")
    return found if isinstance(found, dict) else {}
