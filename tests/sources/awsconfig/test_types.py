"""Every declaration held against the catalog, and what types say in other structures."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest

from policyengine.catalog import registry
from policyengine.model.values import OpenDict, OpenList, Unresolved
from policyengine.sources.config.table import all_declared
from policyengine.sources.live.templates import names_in

from .helpers import Json, item, one

DECLARED = sorted(all_declared().items())


def _top(path: str) -> str:
    return ".".join(path.split(".")[:2]) if path.startswith("related.") else path.split(".")[0]


@pytest.mark.parametrize(("name", "declared"), DECLARED, ids=[name for name, _ in DECLARED])
def test_declarations_name_what_the_catalog_has(name: str, declared: Any) -> None:
    schema = registry.schema(declared.type)
    assert schema is not None
    paths = [*declared.recorded, *declared.unknown, *(part.into for part in declared.parts)]
    for path in paths:
        assert schema.kind(tuple(path.split("."))) is not None, path
    for property in (
        names_in(declared.id if "{" in declared.id else f"{{{declared.id}}}") if declared.id else ()
    ):
        assert property in schema.children()
    for suffix in declared.kinds.values():
        assert f"{name}/{suffix}" in dict(DECLARED)


@pytest.mark.parametrize(("name", "declared"), DECLARED, ids=[name for name, _ in DECLARED])
def test_an_item_without_anything_says_nothing_but_what_it_records(name: str, declared: Any) -> None:
    """What an item lacks is never taken for absent: every other property is not known."""
    engine = {"engine": name.partition("/")[2]} if "/" in name else {}
    resource = one(name.partition("/")[0], engine, tags=None)
    assert resource.type == declared.type
    schema = registry.schema(declared.type)
    assert schema is not None
    absent = {n for n in schema.children() if n not in resource.properties and n not in ("Tags", "related")}
    assert absent <= set(declared.recorded) | NOTHING.get(declared.type, set())
    for related in schema.children(("related",)):
        assert related in resource.related or f"related.{related}" in declared.recorded
    assert resource.tags is None or isinstance(resource.tags, Unresolved)


@pytest.mark.parametrize(
    ("type", "configuration", "arn", "id"),
    [
        ("AWS::ApiGateway::Stage", {"stageName": "prod"}, "arn:aws:apigateway:eu-west-1::/restapis/a1/stages/prod", "a1|prod"),
        ("AWS::ApiGatewayV2::Stage", {"stageName": "prod"}, "arn:aws:apigateway:eu-west-1::/apis/a1/stages/prod", "a1|prod"),
        ("AWS::EC2::LaunchTemplate", {"Id": "lt-1", "LaunchTemplateName": "web"}, None, "lt-1"),
        ("AWS::SQS::Queue", {"QueueName": "q", "QueueUrl": "https://sqs.eu-west-1.amazonaws.com/1/q"}, None,
         "https://sqs.eu-west-1.amazonaws.com/1/q"),
        ("AWS::CodeBuild::Project", {"name": "build"}, None, "build"),
        ("AWS::IAM::User", {"userName": "u"}, None, "u"),
        ("AWS::IAM::User", {}, None, "r-1"),
        ("AWS::ApiGateway::Stage", {"stageName": "prod"}, None, "prod"),
    ],
)  # fmt: skip
def test_ids_are_those_of_the_live_collectors(
    type: str, configuration: Any, arn: str | None, id: str
) -> None:
    assert one(type, configuration, arn=arn).id == id


NOTHING: dict[str, set[str]] = {}


def test_a_type_without_a_declaration_keeps_its_names_and_knows_nothing_else() -> None:
    found = one("AWS::Glue::Job", {"Name": "nightly", "Role": "r"}, resourceName="nightly")
    assert (found.id, found.properties["Role"]) == ("nightly", "r")
    assert isinstance(found.properties["SecurityConfiguration"], Unresolved)
    foreign = one("AWS::Made::Up", {"A": 1}, resourceId="x", tags={"a": "b"})
    assert (foreign.id, foreign.properties) == ("x", {})
    assert isinstance(foreign.properties, OpenDict)


# -- others --------------------------------------------------------------------------------------------


def test_old_security_groups_have_plain_ranges() -> None:
    permission = {
        "ipProtocol": "tcp",
        "fromPort": 22,
        "toPort": 22,
        "ipRanges": ["0.0.0.0/0"],
        "prefixListIds": ["pl-1"],
    }
    found = one("AWS::EC2::SecurityGroup", {"groupId": "sg-1", "ipPermissions": [permission]}).properties
    ports = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}
    assert found["SecurityGroupIngress"] == [
        {**ports, "CidrIp": "0.0.0.0/0"},
        {**ports, "SourcePrefixListId": "pl-1"},
    ]
    assert isinstance(found["SecurityGroupIngress"], OpenList), "nothing is said of IPv6"
    assert isinstance(found["SecurityGroupEgress"], Unresolved), "the item does not hold them"
    new = one(
        "AWS::EC2::SecurityGroup",
        {"ipPermissions": [{**permission, "ipv6Ranges": []}], "ipPermissionsEgress": []},
    )
    assert not isinstance(new.properties["SecurityGroupIngress"], OpenList)
    assert new.properties["SecurityGroupEgress"] == []


def test_policies_in_every_encoding() -> None:
    policy = {"Version": "2012-10-17", "Statement": []}
    encoded = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%5D%7D"
    for written in (policy, [policy], json.dumps(policy), encoded):
        inline = {"policyName": "p", "policyDocument": written}
        role = one(
            "AWS::IAM::Role",
            {"roleName": "r", "assumeRolePolicyDocument": written, "rolePolicyList": [inline]},
        )
        assert role.properties["AssumeRolePolicyDocument"] == policy
        assert role.properties["Policies"] == [{"PolicyName": "p", "PolicyDocument": policy}]
        versions = [{"document": written, "versionId": "v2", "isDefaultVersion": True}, {"versionId": "v1"}]
        managed = one("AWS::IAM::Policy", {"policyName": "m", "policyVersionList": versions})
        assert (managed.type, managed.id) == ("AWS::IAM::ManagedPolicy", "m")
        assert managed.properties["PolicyDocument"] == policy
        assert (role.region, managed.region) == ("global", "global")


def test_whom_a_policy_is_attached_to_is_known_when_the_count_agrees() -> None:
    to = [{"resourceType": "AWS::IAM::Role", "resourceName": "r"}]
    known = one("AWS::IAM::Policy", {"policyName": "m", "attachmentCount": 1}, relationships=to).properties
    assert known["Roles"] == ["r"]
    assert "Users" not in known
    other = one("AWS::IAM::Policy", {"policyName": "m", "attachmentCount": 2}, relationships=to).properties
    assert isinstance(other["Roles"], Unresolved)


@pytest.mark.parametrize("engine", ["docdb", "neptune", "aurora-mysql"])
def test_clusters_by_engine(engine: str) -> None:
    found = one(
        "AWS::RDS::DBCluster", {"dbclusterIdentifier": "c", "engine": engine, "storageEncrypted": True}
    )
    types = {"docdb": "AWS::DocDB::DBCluster", "neptune": "AWS::Neptune::DBCluster"}
    assert found.type == types.get(engine, "AWS::RDS::DBCluster")
    assert (found.id, found.properties["StorageEncrypted"]) == ("c", True)
    assert isinstance(found.properties["DeletionProtection"], Unresolved)


@pytest.mark.parametrize(
    ("type", "configuration", "supplement", "wanted"),
    [
        ("AWS::KMS::Key", {"keyId": "k"}, {"KeyRotationStatus": "true"}, {"EnableKeyRotation": True}),
        ("AWS::KMS::Key", {"keyId": "k"}, {"KeyRotationStatus": False}, {"EnableKeyRotation": False}),
        ("AWS::CloudTrail::Trail", {"name": "t", "logFileValidationEnabled": True, "kmsKeyId": "k"}, {},
         {"TrailName": "t", "EnableLogFileValidation": True, "KMSKeyId": "k"}),
        ("AWS::DynamoDB::Table", {"tableName": "t", "ssedescription": {"status": "ENABLED", "ssetype": "KMS", "kmsmasterKeyArn": "k"}},
         {"ContinuousBackupsDescription": {"pointInTimeRecoveryDescription": {"pointInTimeRecoveryStatus": "ENABLED"}}},
         {"SSESpecification": {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": "k"},
          "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}}),
        ("AWS::SQS::Queue", {"QueueName": "q", "SqsManagedSseEnabled": "true", "RedrivePolicy": '{"maxReceiveCount":3}'}, {},
         {"SqsManagedSseEnabled": True, "RedrivePolicy": {"maxReceiveCount": 3}}),
        ("AWS::ElasticLoadBalancing::LoadBalancer",
         {"listenerDescriptions": [{"listener": {"protocol": "SSL", "loadBalancerPort": 443, "sslcertificateId": "c"}, "policyNames": ["p"]}]},
         {"LoadBalancerAttributes": {"crossZoneLoadBalancing": {"enabled": True}, "accessLog": {"enabled": False}, "additionalAttributes": [{"key": "elb.http.desyncmitigationmode", "value": "strictest"}]}},
         {"CrossZone": True, "AccessLoggingPolicy": {"Enabled": False}, "Attributes": {"elb.http.desyncmitigationmode": "strictest"},
          "Listeners": [{"Protocol": "SSL", "LoadBalancerPort": "443", "SSLCertificateId": "c", "PolicyNames": ["p"]}]}),
        ("AWS::ElasticLoadBalancingV2::LoadBalancer", {"loadBalancerName": "l", "availabilityZones": [{"subnetId": "s"}]},
         {"LoadBalancerAttributes": [{"key": "deletion_protection.enabled", "value": "false"}]},
         {"Name": "l", "Subnets": ["s"], "LoadBalancerAttributes": [{"Key": "deletion_protection.enabled", "Value": "false"}]}),
        ("AWS::ApiGateway::Stage", {"stageName": "prod", "methodSettings": {"*/*": {"loggingLevel": "INFO"}, "~1pets/GET": {"cachingEnabled": True}}}, {},
         {"MethodSettings": [{"LoggingLevel": "INFO", "HttpMethod": "*", "ResourcePath": "/*"}, {"CachingEnabled": True, "HttpMethod": "GET", "ResourcePath": "/pets"}]}),
        ("AWS::Redshift::Cluster", {"clusterIdentifier": "c", "vpcSecurityGroups": [{"vpcSecurityGroupId": "sg"}]},
         {"LoggingStatus": {"loggingEnabled": True, "bucketName": "b"}},
         {"LoggingEnabled": True, "LoggingProperties": {"BucketName": "b"}, "VpcSecurityGroupIds": ["sg"]}),
        ("AWS::CodePipeline::Pipeline", {"pipeline": {"name": "p", "artifactStores": {"eu-west-1": {"type": "S3"}}, "stages": [{"name": "Build", "actions": [{"actionTypeId": {"category": "Build"}}]}]}}, {},
         {"Name": "p", "ArtifactStores": [{"Region": "eu-west-1", "ArtifactStore": {"Type": "S3"}}]}),
        ("AWS::AutoScaling::AutoScalingGroup", {"autoScalingGroupName": "g", "vpczoneIdentifier": "a,b", "capacityRebalance": True}, {},
         {"VPCZoneIdentifier": ["a", "b"], "CapacityRebalance": True}),
        ("AWS::RDS::DBSnapshot", {"dBSnapshotIdentifier": "s"}, {"DBSnapshotAttributes": [{"attributeName": "restore", "attributeValues": ["all"]}]},
         {"RestoreAccounts": ["all"]}),
        ("AWS::ElasticBeanstalk::Environment", {"environmentName": "e", "optionSettings": {"n": {"o": {"value": "v"}}}}, {},
         {"OptionSettings": [{"Namespace": "n", "OptionName": "o", "Value": "v"}]}),
        ("AWS::EC2::Instance", {"instanceId": "i", "monitoring": {"state": "enabled"}, "state": {"name": "stopped"},
                                "stateTransitionReason": "User initiated (2026-01-02 03:04:05 GMT)",
                                "iamInstanceProfile": {"arn": "arn:aws:iam::1:instance-profile/web"}}, {},
         {"Monitoring": True, "StateName": "stopped", "StateTransitionTime": "2026-01-02T03:04:05Z", "IamInstanceProfile": "web"}),
        ("AWS::CloudFront::Distribution",
         {"id": "E", "distributionConfig": {"webACLId": "", "cacheBehaviors": {"quantity": 0}, "origins": {"quantity": 1, "items": [
             {"id": "o", "customHeaders": {"quantity": 1, "items": [{"headerName": "h", "headerValue": "v"}]},
              "customOriginConfig": {"originSslProtocols": {"quantity": 1, "items": ["TLSv1.2"]}}}]}}}, {},
         {"DistributionConfig": {"CacheBehaviors": [], "Origins": [{"Id": "o", "OriginCustomHeaders": [{"HeaderName": "h", "HeaderValue": "v"}],
                                                                   "CustomOriginConfig": {"OriginSSLProtocols": ["TLSv1.2"]}}]}}),
    ],
)  # fmt: skip
def test_other_structures(type: str, configuration: Json, supplement: Json, wanted: Json) -> None:
    for given in (
        (configuration, supplement),
        (json.dumps(configuration), {k: json.dumps(v) for k, v in supplement.items()}),
    ):
        found = one(type, given[0], supplement=given[1]).properties
        assert {name: known(found.get(name)) for name in wanted} == wanted


def known(value: Any) -> Any:
    """The value without what is not known in it."""
    if isinstance(value, dict):
        return {name: known(below) for name, below in value.items() if not isinstance(below, Unresolved)}
    return [known(below) for below in value] if isinstance(value, list) else value


def test_networks_are_shaped_as_live_answers_are() -> None:
    routes = [
        {"destinationCidrBlock": "0.0.0.0/0", "gatewayId": "vpce-1", "state": "active"},
        {"destinationCidrBlock": "10.0.0.0/8", "gatewayId": "igw-1", "state": "blackhole"},
    ]
    table = one(
        "AWS::EC2::RouteTable", {"routeTableId": "rtb-1", "routes": routes, "associations": [{"main": True}]}
    )
    assert table.related["routes"] == [
        {"RouteTableId": "rtb-1", "DestinationCidrBlock": "0.0.0.0/0", "VpcEndpointId": "vpce-1"},
        {"RouteTableId": "rtb-1", "DestinationCidrBlock": "10.0.0.0/8"},
    ]
    assert table.properties["Main"] is True
    entries = [
        {"ruleNumber": 100, "protocol": "6", "ruleAction": "allow", "egress": False, "cidrBlock": "0.0.0.0/0", "portRange": {"from": 22, "to": 22}},
        {"ruleNumber": 32767, "protocol": "-1", "ruleAction": "deny", "egress": False, "cidrBlock": "0.0.0.0/0"},
    ]  # fmt: skip
    acl = one("AWS::EC2::NetworkAcl", {"networkAclId": "acl-1", "isDefault": False, "entries": entries})
    assert acl.id == "acl-1"
    assert [(e["Protocol"], e["PortRange"]) for e in acl.related["entries"]] == [(6, {"From": 22, "To": 22})]


@pytest.mark.parametrize(("rotated", "schedules"), [(True, 1), ("false", 0), (None, None)])
def test_rotation_of_a_secret(rotated: Any, schedules: int | None) -> None:
    given = {
        "ARN": "arn:s",
        "Name": "s",
        "KMSKeyId": "k",
        "RotationEnabled": rotated,
        "RotationRules": {"AutomaticallyAfterDays": 30},
    }
    secret = one("AWS::SecretsManager::Secret", given)
    found = secret.related["rotation_schedules"]
    assert secret.properties["KmsKeyId"] == "k"
    if schedules is None:
        assert isinstance(found, Unresolved)
    else:
        assert [s["RotationRules"] for s in found] == [{"AutomaticallyAfterDays": 30}] * schedules


def test_the_policy_of_a_function_is_encoded_twice() -> None:
    policy = {"Version": "2012-10-17", "Statement": [{"Sid": "s", "Effect": "Allow"}]}
    found = one(
        "AWS::Lambda::Function", {"functionName": "f", "vpcConfig": {"subnetIds": [], "securityGroupIds": []}},
        supplement={"Policy": json.dumps(json.dumps(policy))}, arn="arn:aws:lambda:eu-west-1:1:function:f",
    )  # fmt: skip
    assert found.related == {
        "permissions": [],
        "policies": [{"ResourceArn": found.arn, "PolicyDocument": policy}],
    }
    assert "VpcConfig" not in found.properties
    assert isinstance(found.properties["Environment"], Unresolved)


@pytest.mark.parametrize(
    ("type", "fields", "tags"),
    [
        ("AWS::EC2::Volume", {"tags": {"a": "b"}}, {"a": "b"}),
        ("AWS::EC2::Volume", {"tags": {}}, {}),
        ("AWS::EC2::Volume", {"tags": [{"key": "a", "value": "b", "tag": "a=b"}]}, {"a": "b"}),
        ("AWS::EC2::Volume", {"tags": json.dumps({"a": "b"})}, {"a": "b"}),
        ("AWS::EC2::Volume", {"tags": None}, None),
        (
            "AWS::S3::Bucket",
            {"tags": None, "supplement": {"BucketTaggingConfiguration": {"tagSets": [{"tags": {"a": "b"}}]}}},
            {"a": "b"},
        ),
        ("AWS::KMS::Key", {"tags": {}}, None),
        ("AWS::KMS::Key", {"tags": {}, "supplement": {"Tags": []}}, {}),
        ("AWS::KMS::Key", {"tags": {}, "supplement": {"Tags": '[{"tagKey":"a","tagValue":""}]'}}, {"a": ""}),
    ],
)
def test_tags_are_known_only_where_they_are_recorded(type: str, fields: Json, tags: Json | None) -> None:
    found = one(type, {}, **fields).tags
    assert isinstance(found, Unresolved) if tags is None else found == tags


def test_every_kind_of_value_may_stand_anywhere() -> None:
    """A configuration of another shape than AWS's is refused or read, never a crash."""
    from policyengine.sources.config.item import ItemError
    from policyengine.sources.config.mapping import resources_of

    odd: list[Any] = [None, "", "x", 7, True, [], [1], [[]], {}, {"x": 1}, [{"x": None}]]
    names: dict[str, set[str]] = {name.partition("/")[0]: set() for name, _ in DECLARED}
    for type in names:
        probe = _Probe()
        for value in odd:
            for wrapped in (probe.with_value(value), {"configuration": value}):
                with contextlib.suppress(ItemError):
                    list(resources_of({**item(type), **wrapped}))


class _Probe:
    """Names that shapes read, with one value everywhere."""

    names = (
        "ipPermissions", "attachments", "networkInterfaces", "securityGroups", "rolePolicyList", "policyVersionList",
        "attachedManagedPolicies", "dBSubnetGroup", "endpoint", "listenerDescriptions", "availabilityZones", "pipeline",
        "stages", "source", "vpcConfig", "webhook", "methodSettings", "distributionConfig", "layers", "Policy",
        "RedrivePolicy", "permissionsBoundary", "iamInstanceProfile", "placement", "state", "monitoring", "tags",
        "ssedescription", "billingModeSummary", "vpczoneIdentifier", "options", "keyAlgorithm", "entries", "routes",
    )  # fmt: skip

    def with_value(self, value: Any) -> Json:
        parts = ("BucketPolicy", "AccessControlList", "BucketLifecycleConfiguration", "LoadBalancerAttributes",
                 "BucketReplicationConfiguration", "KeyRotationStatus", "LoggingStatus", "Tags", "Policy",
                 "ContinuousBackupsDescription", "ServerSideEncryptionConfiguration", "ObjectLockConfiguration")  # fmt: skip
        return {
            "configuration": dict.fromkeys(self.names, value),
            "supplementaryConfiguration": dict.fromkeys(parts, value),
        }
