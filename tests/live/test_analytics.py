"""Glue, Athena, EMR and Lake Formation, over HTTP where moto has them, else with answers as AWS documents them."""

from __future__ import annotations

import json
from typing import Any

from policyengine.model.values import Unresolved
from tests.live.conftest import MOTO_ACCOUNT, failure
from tests.live.judging import verdict

REGION = "eu-west-3"
GLUE = f"arn:aws:glue:us-east-1:{MOTO_ACCOUNT}:"
KEY = f"arn:aws:kms:us-east-1:{MOTO_ACCOUNT}:key/11111111-2222-3333-4444-555555555555"


def test_jobs_and_crawlers_over_http(account: Any, aws: Any, collect: Any) -> None:
    glue = aws("glue", REGION)
    command = {"Name": "glueetl", "ScriptLocation": "s3://b/s.py"}
    arguments = {"--enable-continuous-cloudwatch-log": "true"}
    glue.create_job(
        Name="good", Role="r", Command=command, GlueVersion="4.0", SecurityConfiguration="sec",
        DefaultArguments=arguments, Tags={"Owner": "me"},
    )  # fmt: skip
    glue.create_job(Name="plain", Role="r", Command=command, GlueVersion="4.0")
    found = {r.id: r for r in collect(account, "AWS::Glue::Job", region=REGION)}
    good, plain = found["good"], found["plain"]
    assert good.arn == f"arn:aws:glue:{REGION}:{MOTO_ACCOUNT}:job/good"
    assert (good.tags, plain.tags) == ({"Owner": "me"}, {})
    assert good.properties["DefaultArguments"] == arguments
    assert "SecurityConfiguration" not in plain.properties
    assert (verdict("glue-job-logs", good), verdict("glue-job-logs", plain)) == ("PASS", "FAIL")
    glue.create_crawler(Name="c", Role="r", Targets={"S3Targets": [{"Path": "s3://b"}]})
    (crawler,) = collect(account, "AWS::Glue::Crawler", region=REGION)
    assert crawler.properties["Targets"]["S3Targets"] == [{"Path": "s3://b"}]


def test_configurations_endpoints_and_transforms(canned: Any, collect: Any) -> None:
    encryption = {
        "S3Encryption": [{"S3EncryptionMode": "SSE-KMS", "KmsKeyArn": KEY}],
        "CloudWatchEncryption": {"CloudWatchEncryptionMode": "SSE-KMS", "KmsKeyArn": KEY},
        "JobBookmarksEncryption": {"JobBookmarksEncryptionMode": "CSE-KMS", "KmsKeyArn": KEY},
    }
    transform = {
        "TransformId": "tfm-1", "Name": "t", "InputRecordTables": [{"DatabaseName": "d", "TableName": "t"}],
        "Parameters": {"TransformType": "FIND_MATCHES"},
        "TransformEncryption": {"MlUserDataEncryption": {"MlUserDataEncryptionMode": "DISABLED"}},
    }  # fmt: skip
    account = canned({
        "glue:GetSecurityConfigurations": {"SecurityConfigurations": [
            {"Name": "sec", "EncryptionConfiguration": encryption}]},
        "glue:GetDevEndpoints": {"DevEndpoints": [{"EndpointName": "e", "PublicAddress": "1.2.3.4"}]},
        "glue:GetMLTransforms": {"Transforms": [transform]},
        "glue:GetTags": lambda arguments: {"Tags": {"arn": arguments["ResourceArn"]}},
    })  # fmt: skip
    (security,) = collect(account, "AWS::Glue::SecurityConfiguration")
    assert security.properties["EncryptionConfiguration"] == {
        "S3Encryptions": encryption["S3Encryption"],
        "CloudWatchEncryption": encryption["CloudWatchEncryption"],
        "JobBookmarksEncryption": encryption["JobBookmarksEncryption"],
    }
    (endpoint,) = collect(account, "AWS::Glue::DevEndpoint")
    assert endpoint.tags == {"arn": GLUE + "devEndpoint/e"}
    assert verdict("glue-jobs-encrypt", endpoint) == "FAIL"
    (found,) = collect(account, "AWS::Glue::MLTransform")
    assert found.properties["InputRecordTables"] == {"GlueTables": [{"DatabaseName": "d", "TableName": "t"}]}
    assert found.properties["TransformParameters"] == {"TransformType": "FIND_MATCHES"}
    assert verdict("glue-ml-transform-encrypted", found) == "FAIL"


def test_connections_without_their_passwords(canned: Any, collect: Any) -> None:
    def listing(arguments: Any) -> Any:
        assert arguments == {"HidePassword": True}
        properties = {"JDBC_ENFORCE_SSL": "false", "JDBC_CONNECTION_URL": "jdbc:x", "USERNAME": "u"}
        return {
            "ConnectionList": [{"Name": "c", "ConnectionType": "JDBC", "ConnectionProperties": properties}]
        }

    account = canned({"glue:GetConnections": listing, "glue:GetTags": {"Tags": {}}})
    (found,) = collect(account, "AWS::Glue::Connection")
    given = found.properties["ConnectionInput"]
    assert given["ConnectionType"] == "JDBC"
    assert isinstance(given["ConnectionProperties"]["PASSWORD"], Unresolved)
    assert verdict("glue-connection-tls", found) == "FAIL"
    assert verdict("glue-connection-without-secrets", found) == "UNKNOWN"


def test_the_catalog_is_encrypted(canned: Any, collect: Any) -> None:
    settings = {
        "EncryptionAtRest": {"CatalogEncryptionMode": "SSE-KMS", "SseAwsKmsKeyId": KEY},
        "ConnectionPasswordEncryption": {"ReturnConnectionPasswordEncrypted": False, "AwsKmsKeyId": KEY},
    }
    name = "glue:GetDataCatalogEncryptionSettings"
    account = canned({name: {"DataCatalogEncryptionSettings": settings}})
    type = "AWS::Glue::DataCatalogEncryptionSettings"
    (found,) = collect(account, type)
    assert (found.id, found.properties["CatalogId"]) == (MOTO_ACCOUNT, MOTO_ACCOUNT)
    assert found.properties["DataCatalogEncryptionSettings"] == {
        "EncryptionAtRest": settings["EncryptionAtRest"],
        "ConnectionPasswordEncryption": {"ReturnConnectionPasswordEncrypted": False, "KmsKeyId": KEY},
    }
    assert verdict("glue-catalog-encrypted", found) == "PASS"
    assert verdict("glue-connection-passwords-encrypted", found) == "FAIL"
    account.answers[name] = failure(name, "AccessDeniedException")
    (denied,) = collect(account, type)
    assert verdict("glue-catalog-encrypted", denied) == "UNKNOWN"


def test_work_groups_over_http(account: Any, aws: Any, collect: Any) -> None:
    athena = aws("athena", REGION)
    result = {"OutputLocation": "s3://b", "EncryptionConfiguration": {"EncryptionOption": "SSE_S3"}}
    athena.create_work_group(
        Name="good",
        Configuration={"ResultConfiguration": result, "EnforceWorkGroupConfiguration": True},
        Tags=[{"Key": "Owner", "Value": "me"}],
    )
    found = {r.id: r for r in collect(account, "AWS::Athena::WorkGroup", region=REGION)}
    good, primary = found["good"], found["primary"]
    assert good.tags == {"Owner": "me"}
    assert good.properties["WorkGroupConfiguration"]["ResultConfiguration"] == result
    rule = "athena-results-encrypted"
    assert (verdict(rule, good), verdict(rule, primary)) == ("PASS", "FAIL")


def test_clusters_over_http(account: Any, aws: Any, collect: Any) -> None:
    emr = aws("emr", REGION)

    def cluster(name: str, **more: Any) -> str:
        instances = {"KeepJobFlowAliveWhenNoSteps": True, "InstanceCount": 1, "MasterInstanceType": "m4.large",
                     "SlaveInstanceType": "m4.large", **more.pop("Instances", {})}  # fmt: skip
        roles = {"JobFlowRole": "EMR_EC2_DefaultRole", "ServiceRole": "EMR_DefaultRole"}
        id: str = emr.run_job_flow(Name=name, Instances=instances, **roles, **more)["JobFlowId"]
        return id

    good = cluster(
        "good", LogUri="s3://logs", SecurityConfiguration="sec",
        Instances={"TerminationProtected": True}, Tags=[{"Key": "Owner", "Value": "me"}],
    )  # fmt: skip
    plain, over = cluster("plain"), cluster("over")
    emr.terminate_job_flows(JobFlowIds=[over])
    found = {r.id: r for r in collect(account, "AWS::EMR::Cluster", region=REGION)}
    assert set(found) == {good, plain}
    p = found[good].properties
    assert found[good].tags == {"Owner": "me"}
    assert p["Instances"]["KeepJobFlowAliveWhenNoSteps"] is True
    assert isinstance(p["Instances"]["MasterInstanceGroup"], Unresolved)
    assert p["JobFlowRole"] == "EMR_EC2_DefaultRole"
    for rule in ("emr-termination-protection", "emr-cluster-logs"):
        assert (verdict(rule, found[good]), verdict(rule, found[plain])) == ("PASS", "FAIL"), rule


def test_security_configurations_of_clusters(canned: Any, collect: Any) -> None:
    at_rest = {
        "EncryptionConfiguration": {"EnableAtRestEncryption": False, "EnableInTransitEncryption": True}
    }
    account = canned({
        "emr:ListSecurityConfigurations": {"SecurityConfigurations": [{"Name": "sec"}]},
        "emr:DescribeSecurityConfiguration": {"Name": "sec", "SecurityConfiguration": json.dumps(at_rest)},
    })  # fmt: skip
    (security,) = collect(account, "AWS::EMR::SecurityConfiguration")
    assert security.properties == {"Name": "sec", "SecurityConfiguration": at_rest}
    assert verdict("emr-encrypted-at-rest", security) == "FAIL"
    assert verdict("emr-encrypted-in-transit", security) == "PASS"


def test_settings_of_the_data_lake(canned: Any, collect: Any) -> None:
    everybody = [
        {"Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}, "Permissions": ["ALL"]}
    ]
    name, type = "lakeformation:GetDataLakeSettings", "AWS::LakeFormation::DataLakeSettings"
    admin = {"DataLakePrincipalIdentifier": f"arn:aws:iam::{MOTO_ACCOUNT}:role/lake/admin"}
    account = canned({name: {"DataLakeSettings": {
        "DataLakeAdmins": [admin], "CreateDatabaseDefaultPermissions": everybody, "CreateTableDefaultPermissions": []}}})  # fmt: skip
    (found,) = collect(account, type)
    assert found.properties["Admins"] == [admin]
    assert verdict("lake-without-iam-allowed-principals-default", found) == "FAIL"
    account.answers[name] = {"DataLakeSettings": {"DataLakeAdmins": [admin]}}
    assert verdict("lake-without-iam-allowed-principals-default", collect(account, type)[0]) == "PASS"


def test_grants_are_whole_for_administrators_only(canned: Any, collect: Any) -> None:
    type = "AWS::LakeFormation::PrincipalPermissions"
    admin = {"DataLakePrincipalIdentifier": f"arn:aws:iam::{MOTO_ACCOUNT}:role/lake/admin"}
    table = {"Table": {"CatalogId": MOTO_ACCOUNT, "DatabaseName": "d", "TableWildcard": {}}}
    grants = [
        {"Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}, "Resource": table, "Permissions": ["ALL"]},
        {"Principal": admin, "Resource": {"Catalog": {}}, "Permissions": ["CREATE_DATABASE"]},
    ]  # fmt: skip
    account = canned({
        "lakeformation:GetDataLakeSettings": {"DataLakeSettings": {"ReadOnlyAdmins": [admin]}},
        "sts:GetCallerIdentity": {"Arn": f"arn:aws:sts::{MOTO_ACCOUNT}:assumed-role/admin/session"},
        "lakeformation:ListPermissions": {"PrincipalResourcePermissions": grants},
    })  # fmt: skip
    everybody, own = collect(account, type)
    assert collect.last.whole == (type,)
    assert everybody.properties["Resource"] == table
    rule = "lake-without-iam-allowed-principals-grants"
    assert (verdict(rule, everybody), verdict(rule, own)) == ("FAIL", "PASS")
    account.answers["sts:GetCallerIdentity"] = {
        "Arn": f"arn:aws:sts::{MOTO_ACCOUNT}:assumed-role/scanner/session"
    }
    assert len(collect(account, type)) == 2
    assert collect.last.whole == ()
    assert collect.last.incomplete[type].error == "NotDataLakeAdministrator"


def test_grants_where_there_is_no_data_lake(canned: Any, collect: Any) -> None:
    """Most regions: no administrator, no database, no grant, and nothing that could be hidden."""
    type = "AWS::LakeFormation::PrincipalPermissions"
    account = canned({
        "lakeformation:GetDataLakeSettings": {"DataLakeSettings": {"DataLakeAdmins": []}},
        "sts:GetCallerIdentity": {"Arn": f"arn:aws:sts::{MOTO_ACCOUNT}:assumed-role/scanner/session"},
        "lakeformation:ListPermissions": {"PrincipalResourcePermissions": []},
        "glue:GetDatabases": {"DatabaseList": []},
    })  # fmt: skip
    assert collect(account, type) == []
    assert collect.last.whole == (type,)
    account.answers["glue:GetDatabases"] = {"DatabaseList": [{"Name": "default"}]}
    collect(account, type)
    assert collect.last.whole == ()
    account.answers["glue:GetDatabases"] = failure("glue:GetDatabases", "AccessDeniedException")
    collect(account, type)
    assert collect.last.whole == ()
