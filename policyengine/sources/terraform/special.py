"""What the mapping language cannot say, by the name that ``TypeMap.code`` gives it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from policyengine.catalog.terraform.language import pascal
from policyengine.model.values import Unresolved
from policyengine.sources.terraform import special_data as data
from policyengine.sources.terraform import special_network as network
from policyengine.sources.terraform.draft import (
    Draft,
    known_blocks,
    open_map,
    put_found,
    unread,
    values,
    with_unread,
)
from policyengine.sources.terraform.mapper import parse_json, put, settle
from policyengine.sources.terraform.values import Pending

Hook = Callable[[Draft], None]


def _known(value: Any) -> bool:
    return value is not None and value != "" and not isinstance(value, Pending | Unresolved)


def instance(draft: Draft) -> None:
    """Block devices, and the public address, which belongs to the first network interface in AWS."""
    network.block_devices(draft)
    public = settle(draft.tree.get("associate_public_ip_address"))
    if public is not None:
        draft.trace[("NetworkInterfaces",)] = ("associate_public_ip_address",)
        interface = {"DeviceIndex": "0", "AssociatePublicIpAddress": public}
        for name, canonical in (("subnet_id", "SubnetId"), ("vpc_security_group_ids", "GroupSet")):
            if canonical == "GroupSet" and values(draft.tree.get(name)):
                interface[canonical] = values(draft.tree.get(name))
            elif canonical == "SubnetId" and draft.tree.get(name):
                interface[canonical] = settle(draft.tree[name])
        draft.properties["NetworkInterfaces"] = [interface]
        return
    written = draft.tree.get("network_interface")
    attached = [
        {"NetworkInterfaceId": settle(b.get("network_interface_id")), "DeviceIndex": _index_text(b)}
        for _, b in known_blocks(written)
        if b.get("network_interface_id") is not None
    ]
    put_found(draft.properties, "NetworkInterfaces", with_unread(attached, written))


def _index_text(block: Mapping[str, Any]) -> Any:
    index = settle(block.get("device_index"))
    return index if isinstance(index, Unresolved) else str(index)


def launch_template(draft: Draft) -> None:
    """Tags of what is launched are lists of pairs; ``"true"`` and ``"false"`` stand for booleans."""
    template = draft.properties.setdefault("LaunchTemplateData", {})
    if not isinstance(template, dict):
        return
    _booleans(template)
    written = draft.tree.get("tag_specifications")
    specifications = []
    for _, block in known_blocks(written):
        tags = settle(block.get("tags"))
        pairs = [{"Key": k, "Value": v} for k, v in tags.items()] if isinstance(tags, dict) else tags
        found = {"ResourceType": settle(block.get("resource_type")), "Tags": pairs}
        specifications.append({k: v for k, v in found.items() if v is not None})
    put_found(template, "TagSpecifications", with_unread(specifications, written))


def _booleans(value: Any) -> None:
    """Turn the strings ``true`` and ``false`` into booleans, in place."""
    items: Any = (
        enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()
    )
    for key, inner in list(items):
        if inner in ("true", "false"):
            value[key] = inner == "true"
        else:
            _booleans(inner)


def sns_topic(draft: Draft) -> None:
    """Delivery feedback is a list by protocol."""
    found = []
    for protocol in ("application", "firehose", "http", "lambda", "sqs"):
        pairs = {
            "SuccessFeedbackRoleArn": settle(draft.tree.get(f"{protocol}_success_feedback_role_arn")),
            "FailureFeedbackRoleArn": settle(draft.tree.get(f"{protocol}_failure_feedback_role_arn")),
        }
        pairs = {k: v for k, v in pairs.items() if v not in (None, "")}
        if pairs:
            found.append({"Protocol": protocol, **pairs})
    if found:
        draft.properties["DeliveryStatusLogging"] = found


def event_rule(draft: Draft) -> None:
    """``state`` replaced ``is_enabled``; where both are there, the newer one counts."""
    state = settle(draft.tree.get("state"))
    if state is not None and state != "":
        draft.properties["State"] = state


def state_machine(draft: Draft) -> None:
    """Log destinations are a list; Terraform writes the group's ARN with ``:*`` behind it."""
    logging = draft.properties.get("LoggingConfiguration")
    if isinstance(logging, dict) and isinstance(logging.get("Destinations"), dict):
        logging["Destinations"] = [logging["Destinations"]]


def inspector(draft: Draft) -> None:
    """``resource_types`` are the scans that are switched on."""
    names = {
        "EC2": "Ec2",
        "ECR": "Ecr",
        "LAMBDA": "Lambda",
        "LAMBDA_CODE": "LambdaCode",
        "CODE_REPOSITORY": "CodeRepository",
    }
    for value in values(draft.tree.get("resource_types")):
        if isinstance(value, Unresolved):
            for name in names.values():
                put(draft.properties, f"InspectorStatus.{name}", value)
        elif value in names:
            put(draft.properties, f"InspectorStatus.{names[value]}", "ENABLED")


def organization(draft: Draft) -> None:
    """``enabled_policy_types`` lists the types that are on; every other type is off."""
    enabled = draft.tree.get("enabled_policy_types")
    if isinstance(enabled, Pending):
        draft.properties["PolicyTypes"] = enabled.scalar()
    else:
        draft.properties["PolicyTypes"] = [{"Type": v, "Status": "ENABLED"} for v in values(enabled)]


def lake_formation(draft: Draft) -> None:
    """Without a block the provider sends no default permissions and keeps what AWS then has."""
    for name in ("database", "table"):
        written = draft.tree.get(f"create_{name}_default_permissions")
        canonical = f"Create{name.capitalize()}DefaultPermissions"
        if written == []:
            draft.properties[canonical] = []
        elif written is None:
            draft.properties[canonical] = Unresolved("default_depends", "no default permissions are written")


def load_balancer(draft: Draft) -> None:
    """Attributes of a kind of balancer that cannot have them are null in a plan, so nothing is left to do."""
    if draft.properties.get("Scheme") is None and "internal" not in draft.tree:
        draft.properties["Scheme"] = "internet-facing"  # the provider's default, as AWS's


def classic_balancer(draft: Draft) -> None:
    """``access_logs`` without ``enabled`` is on: the provider's default."""
    logs = draft.properties.get("AccessLoggingPolicy")
    if isinstance(logs, dict):
        logs.setdefault("Enabled", True)
    mode = settle(draft.tree.get("desync_mitigation_mode"))
    if mode:
        draft.properties["Attributes"] = {"elb.http.desyncmitigationmode": mode}


def task_definition(draft: Draft) -> None:
    """Container definitions are JSON in the API's camelCase."""
    written = draft.tree.get("container_definitions")
    if not _known(written):
        if written is not None and written != "":
            draft.properties["ContainerDefinitions"] = settle(written)
        return
    parsed = parse_json(written) if isinstance(written, str) else written
    draft.properties["ContainerDefinitions"] = (
        [_capitals(c) for c in parsed] if isinstance(parsed, list) else parsed
    )


def batch_job_definition(draft: Draft) -> None:
    """Container and node properties are JSON in the API's camelCase."""
    for attribute, name in (
        ("container_properties", "ContainerProperties"),
        ("node_properties", "NodeProperties"),
    ):
        written = draft.tree.get(attribute)
        if not _known(written):
            if written is not None and written != "":
                draft.properties[name] = settle(written)
            continue
        if written:
            draft.properties[name] = _capitals(parse_json(written) if isinstance(written, str) else written)


_FREE_KEYS = frozenset({"DockerLabels", "Options"})
_SAME = {"efsVolumeConfiguration": "EFSVolumeConfiguration"}


def _capitals(value: Any) -> Any:
    if isinstance(value, list):
        return [_capitals(v) for v in value]
    if not isinstance(value, dict):
        return value
    found = {}
    for key, inner in value.items():
        name = _SAME.get(key, key[:1].upper() + key[1:])
        found[name] = inner if name in _FREE_KEYS else _capitals(inner)
    return found


def lambda_function(draft: Draft) -> None:
    """``filename`` is code too, though it stands on the machine that runs Terraform."""
    if _known(draft.tree.get("filename")):
        put(draft.properties, "Code.ZipFile", Unresolved("unsupported", "a local file", present=True))
    if draft.properties.get("ReservedConcurrentExecutions") == -1:
        del draft.properties["ReservedConcurrentExecutions"]  # -1 is how Terraform says "no reservation"


def distribution(draft: Draft) -> None:
    """AWS counts the items of its lists; an origin without an identity has the empty one."""
    config = draft.properties.get("DistributionConfig")
    if not isinstance(config, dict):
        return
    groups = config.get("OriginGroups")
    if isinstance(groups, dict) and isinstance(groups.get("Items"), list):
        groups["Quantity"] = len(groups["Items"])


def api_v2_stage(draft: Draft) -> None:
    """Route settings are a map by route key."""
    written = draft.tree.get("route_settings")
    more = unread(written)
    found: dict[str, Any] = {}
    for _, block in known_blocks(written):
        key = settle(block.get("route_key"))
        if isinstance(key, Unresolved):
            more = key
        elif isinstance(key, str):
            found[key] = {pascal(k): settle(v) for k, v in block.items() if k != "route_key"}
    put_found(draft.properties, "RouteSettings", open_map(found, more))


def pipeline(draft: Draft) -> None:
    """One artifact store without a region is ``ArtifactStore``, several are ``ArtifactStores``."""
    stores = []
    written = draft.tree.get("artifact_store")
    more = unread(written)
    for _, block in known_blocks(written):
        store = {"Location": settle(block.get("location")), "Type": settle(block.get("type"))}
        key = block.get("encryption_key")
        if unread(key) is not None:
            store["EncryptionKey"] = unread(key)
        for _, inner in known_blocks(key):
            store["EncryptionKey"] = {"Id": settle(inner.get("id")), "Type": settle(inner.get("type"))}
        stores.append((settle(block.get("region")), {k: v for k, v in store.items() if v is not None}))
    if more is not None:
        draft.properties |= {"ArtifactStore": more, "ArtifactStores": more}
    elif len(stores) == 1:
        draft.properties["ArtifactStore"] = stores[0][1]
    elif stores:
        draft.properties["ArtifactStores"] = [{"Region": r, "ArtifactStore": s} for r, s in stores]


def flow_log(draft: Draft) -> None:
    """What is recorded follows from which of the attributes is set."""
    kinds = {
        "vpc_id": "VPC", "subnet_id": "Subnet", "eni_id": "NetworkInterface",
        "transit_gateway_id": "TransitGateway", "transit_gateway_attachment_id": "TransitGatewayAttachment",
    }  # fmt: skip
    found = [kind for attribute, kind in kinds.items() if draft.tree.get(attribute) not in (None, "")]
    if found:
        draft.properties["ResourceType"] = found[0]


def route_table_association(draft: Draft) -> None:
    """With a gateway instead of a subnet it is the association of a gateway."""
    gateway = settle(draft.tree.get("gateway_id"))
    if gateway not in (None, ""):
        draft.type = "AWS::EC2::GatewayRouteTableAssociation"
        draft.properties["GatewayId"] = gateway


def acl(draft: Draft) -> None:
    """Entries, and the subnets of ``subnet_ids``, each an association."""
    network.acl_entries(draft)
    for at, subnet in enumerate(values(draft.tree.get("subnet_ids"))):
        linked = {"NetworkAclId": draft.itself(), "SubnetId": subnet}
        draft.emit(
            "AWS::EC2::SubnetNetworkAclAssociation", linked, {(): ("subnet_ids",)}, f"#subnet_ids[{at}]"
        )


HOOKS: Final[Mapping[str, Hook]] = {
    "acl": acl,
    "acl_rule": network.acl_rule,
    "ami_copy": data.ami_copy,
    "api_v2_stage": api_v2_stage,
    "block_devices": network.block_devices,
    "classic_balancer": classic_balancer,
    "distribution": distribution,
    "dynamodb_table": data.dynamodb_table,
    "elastic_address": network.elastic_address,
    "event_rule": event_rule,
    "firehose": data.firehose,
    "flow_log": flow_log,
    "inspector": inspector,
    "instance": instance,
    "kinesis_stream": data.kinesis_stream,
    "lake_formation": lake_formation,
    "lambda_function": lambda_function,
    "launch_template": launch_template,
    "load_balancer": load_balancer,
    "log_publishing": data.log_publishing,
    "organization": organization,
    "pipeline": pipeline,
    "rds_snapshot": data.rds_snapshot,
    "route_table_association": route_table_association,
    "security_group": network.security_group,
    "security_group_rule": network.security_group_rule,
    "single_rule": network.single_rule,
    "snapshot": data.snapshot,
    "sns_topic": sns_topic,
    "state_machine": state_machine,
    "task_definition": task_definition,
    "batch_job_definition": batch_job_definition,
}
"""What ``TypeMap.code`` may name."""
