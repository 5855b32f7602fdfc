"""What the mapping language cannot say about databases, snapshots, search domains and streams."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policyengine.model.values import Unresolved
from policyengine.sources.terraform.draft import Draft, known_blocks, open_map, put_found, unread, with_unread
from policyengine.sources.terraform.mapper import settle
from policyengine.sources.terraform.values import Pending


def snapshot(draft: Draft) -> None:
    """A snapshot is encrypted as its volume is, which the plan shows on the volume only."""
    encrypted = settle(draft.tree.get("encrypted"))
    draft.properties["Encrypted"] = (
        encrypted if encrypted is not None else Unresolved("default_depends", "the volume's encryption")
    )


def ami_copy(draft: Draft) -> None:
    """``encrypted`` of a copied image says that every snapshot of the copy is encrypted."""
    encrypted = settle(draft.tree.get("encrypted"))
    key = settle(draft.tree.get("kms_key_id"))
    if encrypted is True or isinstance(encrypted, Unresolved):
        ebs = {"Encrypted": encrypted} | ({"KmsKeyId": key} if key else {})
        draft.properties["BlockDeviceMappings"] = [{"Ebs": ebs}]
    else:
        draft.properties["BlockDeviceMappings"] = Unresolved(
            "default_depends", "the source image's encryption"
        )


def rds_snapshot(draft: Draft) -> None:
    """A database snapshot is encrypted as its database is; a copy with a key always is."""
    known = (
        settle(draft.tree.get("encrypted"))
        if "encrypted" in draft.tree
        else settle(draft.tree.get("storage_encrypted"))
    )
    if known is None:
        known = (
            True
            if draft.properties.get("KmsKeyId")
            else Unresolved("default_depends", "the database's encryption")
        )
    name = "StorageEncrypted" if draft.type == "AWS::RDS::ClusterSnapshot" else "Encrypted"
    draft.properties[name] = known


def dynamodb_table(draft: Draft) -> None:
    """Keys, indexes, and the encryption type that a chosen key implies."""
    draft.properties.update(_keys(draft.tree))
    for attribute, name in (("global_secondary_index", "Global"), ("local_secondary_index", "Local")):
        written = draft.tree.get(attribute)
        found = [_index(block) for _, block in known_blocks(written)]
        put_found(draft.properties, f"{name}SecondaryIndexes", with_unread(found, written))
    encryption = draft.properties.get("SSESpecification")
    if isinstance(encryption, dict) and encryption.get("SSEEnabled") is True:
        encryption.setdefault("SSEType", "KMS")


def _keys(tree: Mapping[str, Any]) -> dict[str, Any]:
    pairs = (("hash_key", "HASH"), ("range_key", "RANGE"))
    schema = [{"AttributeName": settle(tree[a]), "KeyType": kind} for a, kind in pairs if tree.get(a)]
    return {"KeySchema": schema} if schema else {}


def _index(block: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"IndexName": settle(block.get("name")), **_keys(block)}
    projection = {"ProjectionType": settle(block.get("projection_type"))}
    if block.get("non_key_attributes"):
        projection["NonKeyAttributes"] = settle(block["non_key_attributes"])
    found["Projection"] = {k: v for k, v in projection.items() if v is not None}
    return {k: v for k, v in found.items() if v is not None}


def log_publishing(draft: Draft) -> None:
    """``log_publishing_options`` blocks become a map by log type."""
    written = draft.tree.get("log_publishing_options")
    more = unread(written)
    found: dict[str, Any] = {}
    for _, block in known_blocks(written):
        kind = settle(block.get("log_type"))
        if isinstance(kind, Unresolved):
            more = kind
        elif isinstance(kind, str):
            enabled = settle(block.get("enabled"))
            option = {"Enabled": True if enabled is None else enabled}
            group = settle(block.get("cloudwatch_log_group_arn"))
            found[kind] = option | ({"CloudWatchLogsLogGroupArn": group} if group else {})
    put_found(draft.properties, "LogPublishingOptions", open_map(found, more))


def kinesis_stream(draft: Draft) -> None:
    """``encryption_type = "NONE"`` is how Terraform says what CloudFormation leaves out."""
    encryption = draft.properties.get("StreamEncryption")
    if isinstance(encryption, dict) and encryption.get("EncryptionType") == "NONE":
        del draft.properties["StreamEncryption"]


def firehose(draft: Draft) -> None:
    """The type follows from the source block; disabled encryption is left out as in CloudFormation."""
    sources = {
        "kinesis_source_configuration": "KinesisStreamAsSource",
        "msk_source_configuration": "MSKAsSource",
    }
    kinds = [
        unread(draft.tree[attribute]) or kind
        for attribute, kind in sources.items()
        if draft.tree.get(attribute)
    ]
    draft.properties["DeliveryStreamType"] = kinds[0] if kinds else "DirectPut"
    for _, block in known_blocks(draft.tree.get("server_side_encryption")):
        if not block.get("enabled"):
            draft.properties.pop("DeliveryStreamEncryptionConfigurationInput", None)
        elif isinstance(block["enabled"], Pending):
            draft.properties["DeliveryStreamEncryptionConfigurationInput"] = block["enabled"].scalar()
