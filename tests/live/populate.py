"""Fills a moto server with an organisation: OUs, SCPs at several levels, accounts with good and bad resources.

``python -m tests.live.populate ENDPOINT ACCOUNTS REGION,…`` fills a server by hand.
"""

from __future__ import annotations

import io
import json
import sys
import zipfile
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any, Final, NamedTuple

from tests.live.server import MANAGEMENT

Json = dict[str, Any]
ADMINISTRATOR: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
READER: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::reports/*"}],
}
_TRUST: Final = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
RULES: Final = (
    "cloudtrail-is-logging", "ebs-volume-encrypted",
    "iam-no-administrator-policy", "iam-role-not-administrator", "kms-key-rotation", "rds-storage-encrypted",
    "s3-bucket-public-access-block", "s3-default-encryption", "s3-tls-only", "scp-denies-leaving-organization",
    "security-group-admin-ports-closed",
)  # fmt: skip
"""Rules of which moto can answer every call."""


_LEAVING: Final = "scp-denies-leaving-organization"
_ACCESS: Final = "OrganizationAccountAccessRole"
"""moto makes it without a policy."""


class Made(NamedTuple):
    """A resource that was made, and the verdict that one rule must give on it."""

    account: str
    region: str
    type: str
    id: str
    rule: str
    verdict: str


class Organization(NamedTuple):
    """What was made: the accounts, the OUs by name, and every resource with its verdicts."""

    accounts: tuple[str, ...]
    units: dict[str, str]
    made: tuple[Made, ...]


class Clients:
    """Clients of a moto server, by account: all sessions share one loader, as the models are dear to read."""

    def __init__(self, endpoint: str) -> None:
        import botocore.loaders
        import botocore.session

        self.endpoint = endpoint
        self._loader = botocore.loaders.create_loader()
        self._new = botocore.session.Session
        self._sessions: dict[str, Any] = {}

    def session(self, account: str = MANAGEMENT) -> Any:
        """Return a session whose keys belong to an account."""
        if account not in self._sessions:
            session = self._new()
            session.register_component("data_loader", self._loader)
            keys = ("testing", "testing", None)
            if account != MANAGEMENT:
                arn = f"arn:aws:iam::{account}:role/Populate"
                given = self("sts").assume_role(RoleArn=arn, RoleSessionName="populate")["Credentials"]
                keys = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
            session.set_credentials(*keys)
            self._sessions[account] = session
        return self._sessions[account]

    def __call__(self, service: str, region: str = "us-east-1", account: str = MANAGEMENT) -> Any:
        return self.session(account).create_client(service, region_name=region, endpoint_url=self.endpoint)


def organization(endpoint: str, accounts: int, regions: Sequence[str]) -> Organization:
    """Make an organisation of ``accounts`` accounts, the management account among them."""
    clients = Clients(endpoint)
    api = clients("organizations")
    api.create_organization(FeatureSet="ALL")
    root = api.list_roots()["Roots"][0]["Id"]
    api.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
    units = {name: _unit(api, root, name) for name in ("workloads", "sandbox")}
    units["production"] = _unit(api, units["workloads"], "production")
    ids = [MANAGEMENT]
    made = [Made(MANAGEMENT, "global", "AWS::Organizations::Account", MANAGEMENT, _LEAVING, "NOT_APPLICABLE")]
    places = (units["production"], units["sandbox"], units["workloads"], root)
    for number in range(accounts - 1):
        status = api.create_account(AccountName=f"account-{number:02}", Email=f"a{number}@example.com")
        ids.append(status["CreateAccountStatus"]["AccountId"])
        place = places[number % len(places)]
        if place != root:
            api.move_account(AccountId=ids[-1], SourceParentId=root, DestinationParentId=place)
        verdict = "PASS" if place in (units["production"], units["workloads"]) else "FAIL"
        made.append(Made(MANAGEMENT, "global", "AWS::Organizations::Account", ids[-1], _LEAVING, verdict))
        made.append(Made(ids[-1], "global", "AWS::IAM::Role", _ACCESS, "iam-role-not-administrator", "PASS"))
    _scps(api, root, units, ids)
    for number, id in enumerate(ids):
        made += account(clients, id, regions, number)
    return Organization(tuple(ids), units, tuple(made))


def _unit(api: Any, parent: str, name: str) -> str:
    made: Json = api.create_organizational_unit(ParentId=parent, Name=name)["OrganizationalUnit"]
    return str(made["Id"])


def _scps(api: Any, root: str, units: dict[str, str], ids: Sequence[str]) -> None:
    """Policies on the root, on two levels of OUs and on one account."""
    for name, action, target in (
        ("keep-trails", "cloudtrail:StopLogging", root),
        ("no-leaving", "organizations:LeaveOrganization", units["workloads"]),
        ("keep-config", "config:StopConfigurationRecorder", units["production"]),
        ("no-users", "iam:CreateUser", ids[1] if len(ids) > 1 else root),
    ):
        document = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Deny", "Action": action, "Resource": "*"}],
        }
        made = api.create_policy(
            Content=json.dumps(document), Description=name, Name=name, Type="SERVICE_CONTROL_POLICY"
        )
        api.attach_policy(PolicyId=made["Policy"]["PolicySummary"]["Id"], TargetId=target)


def account(clients: Clients, id: str, regions: Sequence[str], number: int = 0) -> Iterator[Made]:
    """Make the resources of one account and yield what rules must say of them."""

    def client(service: str, region: str = regions[0]) -> Any:
        return clients(service, region, id)

    yield from _identities(client, id)
    for region in regions:
        regional = partial_client(client, region)
        key = yield from _keys(regional, id, region)
        yield from _volumes(regional, id, region, key)
        yield from _databases(regional, id, region, key)
        yield from _groups(regional, id, region)
        yield from _buckets(regional, id, region)
    yield from _trail(client("cloudtrail"), client("s3"), id, regions[0], logging=number % 2 == 0)
    _function(client, id)


def partial_client(client: Callable[..., Any], region: str) -> Callable[[str], Any]:
    """Return the clients of one region."""
    return lambda service: client(service, region)


def _identities(client: Callable[..., Any], id: str) -> Iterator[Made]:
    iam = client("iam")
    for name, document, verdict in (("admin", ADMINISTRATOR, "FAIL"), ("reader", READER, "PASS")):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(_TRUST))
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps(document))
        yield Made(id, "global", "AWS::IAM::Role", name, "iam-role-not-administrator", verdict)
        iam.create_policy(PolicyName=f"{name}-policy", PolicyDocument=json.dumps(document))
        yield Made(
            id, "global", "AWS::IAM::ManagedPolicy", f"{name}-policy", "iam-no-administrator-policy", verdict
        )


def _groups(client: Callable[[str], Any], id: str, region: str) -> Iterator[Made]:
    ec2 = client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    sources = {
        "open": ({"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}, "FAIL"),
        "open6": ({"Ipv6Ranges": [{"CidrIpv6": "::/0"}]}, "FAIL"),
        "inside": ({"IpRanges": [{"CidrIp": "10.0.0.0/8"}]}, "PASS"),
    }
    for name, (source, verdict) in sources.items():
        group = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
        ec2.authorize_security_group_ingress(
            GroupId=group, IpPermissions=[{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, **source}]
        )
        yield Made(id, region, "AWS::EC2::SecurityGroup", group, "security-group-admin-ports-closed", verdict)
    for found in ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["default"]}])[
        "SecurityGroups"
    ]:
        yield Made(
            id,
            region,
            "AWS::EC2::SecurityGroup",
            found["GroupId"],
            "security-group-admin-ports-closed",
            "PASS",
        )


def _volumes(client: Callable[[str], Any], id: str, region: str, key: str) -> Iterator[Made]:
    for encrypted in (True, False):
        # moto makes the default key of a service as if it were the customer's: none is asked for
        with_key = {"Encrypted": True, "KmsKeyId": key} if encrypted else {}
        volume = client("ec2").create_volume(AvailabilityZone=f"{region}a", Size=1, **with_key)
        verdict = "PASS" if encrypted else "FAIL"
        yield Made(id, region, "AWS::EC2::Volume", volume["VolumeId"], "ebs-volume-encrypted", verdict)


def _databases(client: Callable[[str], Any], id: str, region: str, key: str) -> Iterator[Made]:
    rds = client("rds")
    for name, encrypted in (("safe", True), ("plain", False)):
        rds.create_db_instance(
            DBInstanceIdentifier=name, DBInstanceClass="db.t4g.micro", Engine="postgres", AllocatedStorage=20,
            **({"StorageEncrypted": True, "KmsKeyId": key} if encrypted else {}), MasterUsername="root", MasterUserPassword="not-a-secret",
        )  # fmt: skip
        verdict = "PASS" if encrypted else "FAIL"
        yield Made(id, region, "AWS::RDS::DBInstance", name, "rds-storage-encrypted", verdict)


def _buckets(client: Callable[[str], Any], id: str, region: str) -> Iterator[Made]:
    s3 = client("s3")
    for kind, good in (("good", True), ("bare", False)):
        name = f"{kind}-{id}-{region}"
        make_bucket(s3, name, region)
        if good:
            harden_bucket(s3, name)
        verdict = "PASS" if good else "FAIL"
        for rule in ("s3-bucket-public-access-block", "s3-tls-only"):
            yield Made(id, region, "AWS::S3::Bucket", name, rule, verdict)
        # what nobody configured AWS encrypts with SSE-S3
        yield Made(id, region, "AWS::S3::Bucket", name, "s3-default-encryption", "PASS")


def make_bucket(s3: Any, name: str, region: str) -> None:
    """Make a bucket; us-east-1 must not be named."""
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=name, **where)


def harden_bucket(s3: Any, name: str) -> None:
    """Block public access, encrypt, and refuse requests without TLS."""
    s3.put_public_access_block(
        Bucket=name,
        PublicAccessBlockConfiguration=dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
        ),
    )
    s3.put_bucket_encryption(
        Bucket=name,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        },
    )
    statement = {
        "Effect": "Deny", "Principal": "*", "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }  # fmt: skip
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def _keys(client: Callable[[str], Any], id: str, region: str) -> Generator[Made, None, str]:
    """Yield the keys and return the one that is rotated."""
    kms = client("kms")
    key = ""
    for rotated in (False, True):
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        if rotated:
            kms.enable_key_rotation(KeyId=key)
        yield Made(id, region, "AWS::KMS::Key", key, "kms-key-rotation", "PASS" if rotated else "FAIL")
    return str(key)


def _trail(trails: Any, s3: Any, id: str, region: str, *, logging: bool) -> Iterator[Made]:
    bucket = f"trail-{id}"
    make_bucket(s3, bucket, region)
    harden_bucket(s3, bucket)
    for rule in ("s3-bucket-public-access-block", "s3-default-encryption", "s3-tls-only"):
        yield Made(id, region, "AWS::S3::Bucket", bucket, rule, "PASS")
    trails.create_trail(Name="main-trail", S3BucketName=bucket)
    if logging:
        trails.start_logging(Name="main-trail")
    verdict = "PASS" if logging else "FAIL"
    yield Made(id, region, "AWS::CloudTrail::Trail", "main-trail", "cloudtrail-is-logging", verdict)


def _function(client: Callable[..., Any], id: str) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", "def handler(event, context):\n    return event\n")
    client("lambda").create_function(
        FunctionName="work", Runtime="python3.13", Handler="index.handler", Code={"ZipFile": packed.getvalue()},
        Role=f"arn:aws:iam::{id}:role/reader", Environment={"Variables": {"STAGE": "test"}},
    )  # fmt: skip


if __name__ == "__main__":
    filled = organization(sys.argv[1], int(sys.argv[2]), sys.argv[3].split(","))
    print(f"{len(filled.accounts)} accounts, {len({m[:4] for m in filled.made})} resources")
